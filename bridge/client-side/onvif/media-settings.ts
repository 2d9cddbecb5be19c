import type { KnownCall } from "../../../onvif/server/service.ts";
import { SoapFault } from "../../../wsdl/envelope.ts";
import type { Xml } from "../../../wsdl/schema.ts";
import type { Part } from "../../made-profiles.ts";
import type { Tokened } from "./media-parts.ts";
import { findPart } from "./profiles.ts";
import type { OnvifSite } from "./site.ts";
import type { View } from "./view.ts";

/** What of a stream can be set by the media services. */
type Settable = Exclude<Part, "PTZ">;

/** One `Set…Configuration`, of either service. */
interface Setter {
  readonly needs: "live";
  readonly camera: (request: Wish, call: KnownCall) => string;
  readonly run: (request: Wish, call: KnownCall) => Readonly<Record<string, never>>;
}

interface Wish {
  readonly Configuration: Tokened;
}

/** How a service makes each configuration of a stream. */
type Makers = Readonly<Record<Settable, (view: View) => Tokened | undefined>>;

/**
 * Without effect, and no error: what a device may adapt (Media2 5.3.3, Note: quality, rate control, bounds), what only it says, and
 * the session timeout, which RTSP says anew.
 */
const ADAPTED: ReadonlySet<string> = new Set(["Quality", "RateControl", "Bounds", "UseCount", "SessionTimeout"]);

/**
 * `Set…Configuration` of both media services. What a camera sends is for all who watch it: what may be set is what is so already, and
 * what may be adapted.
 */
export function mediaSettings(
  site: OnvifSite,
  makers: Makers,
): Readonly<Record<`Set${Settable}Configuration`, Setter>> {
  const set = (part: Settable): Setter => ({
    needs: "live",
    camera: ({ Configuration }, { who }) => findPart(site, who, part, Configuration.token).camera.id,
    run({ Configuration }, { who }) {
      assertSo(makers[part](findPart(site, who, part, Configuration.token)) ?? {}, Configuration);
      return {};
    },
  });
  return {
    SetVideoSourceConfiguration: set("VideoSource"),
    SetVideoEncoderConfiguration: set("VideoEncoder"),
    SetAudioSourceConfiguration: set("AudioSource"),
    SetAudioEncoderConfiguration: set("AudioEncoder"),
    SetMetadataConfiguration: set("Metadata"),
  };
}

/** Passes what says of nothing that it should be otherwise; what it does not say is to stay as it is (Core 5.5). Fault `ConfigModify`. */
export function assertSo(current: object, wish: object): void {
  const other = Object.keys(wish).find(
    (name) => !ADAPTED.has(name) && !isSo(memberOf(current, name), memberOf(wish, name)),
  );
  if (other !== undefined)
    throw new SoapFault(
      "invalid",
      "Sender",
      ["InvalidArgVal", "ConfigModify"],
      `${other} cannot be changed here, for others use it as it is: it is set at the camera, or in the pages of the bridge`,
    );
}

function memberOf(of: unknown, name: string): unknown {
  return (of as Readonly<Record<string, unknown>> | undefined)?.[name];
}

/** No, nothing and nothing at all are the same. */
function isSo(current: unknown, wish: unknown): boolean {
  if (wish === undefined || wish === false) return current === undefined || current === false;
  if (isAnything(wish)) return wish.element?.children.length === 0;
  if (Array.isArray(wish)) return Array.isArray(current) && wish.every((one, at) => isSo(current[at], one));
  if (typeof wish === "object" && wish !== null)
    return Object.keys(wish).every((name) => isSo(memberOf(current, name), memberOf(wish, name)));
  return current === wish;
}

function isAnything(wish: unknown): wish is Xml {
  return typeof wish === "object" && wish !== null && "xml" in wish && "prefixes" in wish;
}
