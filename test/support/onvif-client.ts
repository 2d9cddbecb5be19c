import { ChallengeAnswerer } from "../../auth/scheme/http.ts";
import { usernameTokenHeader } from "../../auth/scheme/usernametoken.ts";
import { Secret } from "../../base/secret.ts";
import { type FaultMessage, faultMessage, printEnvelope, readEnvelope } from "../../wsdl/envelope.ts";
import { NAMESPACES, type Prefix } from "../../wsdl/namespaces.ts";
import type { XmlElement } from "../../wsdl/xml.ts";
import type { Answer, OnvifLogin, OnvifTestSite } from "./onvif-site.ts";

/** Path below `/onvif/` of the service of each prefix. */
export const PATHS = {
  tds: "device_service",
  trt: "media_service",
  tr2: "media2_service",
  trc: "recording_service",
  tev: "event_service",
  tse: "search_service",
  trp: "replay_service",
  tptz: "ptz_service",
  timg: "imaging_service",
  tmd: "deviceio_service",
} as const satisfies Partial<Record<Prefix, string>>;

export type ServicePrefix = keyof typeof PATHS;
export type Scheme = "sha-256" | "md5" | "token" | "none";

/** `<tds:Name>content</tds:Name>` in an envelope. Prefixes of all services and of the common schema may be used inside. */
export function requestOf(prefix: Prefix, operation: string, content = "", header = ""): string {
  return printEnvelope({
    header,
    body: `<${prefix}:${operation}>${content}</${prefix}:${operation}>`,
    namespaces: NAMESPACES,
  });
}

/** An answer that was read. */
export interface Reply extends Answer {
  /** What stands in the body of the message. */
  readonly element: XmlElement;
  /** Set when it is a fault. */
  readonly fault: FaultMessage | undefined;
}

/** What a client needs of whom it asks. */
export type OnvifEndpoint = Pick<OnvifTestSite, "clock" | "send">;

/** A client that logs in as it is told to. */
export class OnvifClient {
  readonly #site: OnvifEndpoint;
  readonly #login: OnvifLogin | undefined;
  readonly #scheme: Scheme;
  readonly #root: string;

  /** `camera`: at the device of that one. */
  constructor(
    site: OnvifEndpoint,
    login?: OnvifLogin,
    scheme: Scheme = login === undefined ? "none" : "sha-256",
    camera?: string,
  ) {
    this.#root = camera === undefined ? "/onvif/" : `/onvif/camera/${camera}/`;
    this.#site = site;
    this.#login = login;
    this.#scheme = scheme;
  }

  /** `at`: the path, where it is not that of the service. */
  async call(
    prefix: ServicePrefix | "wsnt",
    operation: string,
    content = "",
    tls = false,
    at?: string,
    more = "",
  ): Promise<Reply> {
    const path = at ?? `${this.#root}${prefix === "wsnt" ? PATHS.tev : PATHS[prefix]}`;
    const login = this.#login;
    const credentials = login && { user: login.name, password: new Secret(login.secret) };
    if (credentials !== undefined && this.#scheme === "token") {
      const header = usernameTokenHeader(credentials, this.#site.clock.now());
      return read(await this.#site.send({ path, body: requestOf(prefix, operation, content, header + more), tls }));
    }
    const body = requestOf(prefix, operation, content, more);
    const first = await this.#site.send({ path, body, tls });
    if (first.status !== 401 || credentials === undefined || this.#scheme === "none") return read(first);
    const answerer = new ChallengeAnswerer(credentials);
    const algorithm = new RegExp(`algorithm=${this.#scheme}(?:,|$)`, "i");
    answerer.challenged(first.challenges.filter((one) => algorithm.test(one)));
    const authorization = answerer.authorize("POST", path) ?? "";
    return read(await this.#site.send({ path, body, headers: { authorization }, tls }));
  }
}

/** The message of an answer. */
export function read(answer: Answer): Reply {
  const { body } = readEnvelope(answer.body);
  if (body === undefined) throw new Error(`empty body: ${answer.body}`);
  return { ...answer, element: body, fault: faultMessage(body) };
}

/** Text of all elements of that local name, at any depth, in order. */
export function texts(element: XmlElement, name: string): readonly string[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child.text] : []), ...texts(child, name)]);
}
