import { randomUUID } from "node:crypto";
import type { CodeLimit, CodeSender } from "../../auth/sent-codes.ts";
import type { Clock } from "../../base/clock.ts";
import { asFault, Fault } from "../../base/fault.ts";
import type { Secret } from "../../base/secret.ts";
import { DAY, HOUR, SECOND } from "../../base/units.ts";
import { serverSide } from "../../net/consumers.ts";
import { type HttpAnswer, httpRequest } from "../../net/http-request.ts";
import { type Resolve, resolveName } from "../../net/resolve.ts";
import { readCa } from "../certificates-file.ts";
import { passwordIn } from "../password-file.ts";
import { BLANK, type SmsBlank, type SmsSettings } from "../sms-settings.ts";
import { findConsumer } from "./onvif/consumer.ts";

const LIMITS = {
  /** Of the gateway's answer. */
  answerBytes: 64 * 1024,
} as const;

type Filled = Readonly<Record<SmsBlank, string>>;

/** What the gateway said of one message. */
export interface SmsAnswer {
  /** It has taken the message, by what the settings say of that. */
  readonly taken: boolean;
  readonly status: number;
  /** May repeat number, text and secret: never for a log. */
  readonly text: string;
}

/** Gives SMS to the gateway of the site, one HTTPS request each, as the settings say. Nothing is sent twice, and no redirect followed. */
export class SmsGateway implements CodeSender {
  readonly limits: NonNullable<CodeSender["limits"]>;
  readonly #settings: SmsSettings;
  readonly #cameraInterfaces: readonly string[];
  readonly #clock: Clock;
  readonly #resolve: Resolve;

  /** `cameraInterfaces`: where cameras are, and so no gateway. */
  constructor(
    settings: SmsSettings,
    cameraInterfaces: readonly string[],
    clock: Clock,
    resolve: Resolve = resolveName,
  ) {
    this.#settings = settings;
    this.#cameraInterfaces = cameraInterfaces;
    this.#clock = clock;
    this.#resolve = resolve;
    const { personPerHour, personPerDay, perHour, perDay } = settings.limits;
    this.limits = { account: limitsOf(personPerHour, personPerDay), all: limitsOf(perHour, perDay) };
  }

  refusal(to: string): string | undefined {
    const { countries, except } = this.#settings;
    const begins = (prefixes: readonly string[]): boolean => prefixes.some((one) => to.startsWith(one));
    if (!begins(countries)) return `codes are sent to numbers that begin with ${countries.join(", ")} alone`;
    return begins(except) ? "codes are not sent to numbers of that kind" : undefined;
  }

  async send(to: string, code: Secret): Promise<void> {
    const text = `${code.reveal()} is your code for Viaduct, good for five minutes. Nobody will ever ask you for it.`;
    const { taken, status } = await this.deliver(to, text);
    if (!taken) throw new Fault("unavailable", `${this.#host} did not take the message: it answered ${status}`);
  }

  /** One message to a number of {@link readPhoneNumber}. Faults: `unavailable`, `invalid` (it answers no HTTP, or at length), `denied` (the gateway is not trusted, or is where cameras are). */
  async deliver(to: string, text: string): Promise<SmsAnswer> {
    const { url, method, ca, timeoutSeconds } = this.#settings;
    const trusted = ca === undefined ? undefined : await readCa(ca, "sms.ca");
    const message = await this.#message(to, text);
    const side = serverSide(new URL(url).hostname, this.#cameraInterfaces);
    const gateway = await findConsumer(url, { side, resolve: this.#resolve, plainText: false });
    if ("why" in gateway) throw new Fault("denied", `${this.#host} is sent nothing: ${gateway.why}`);
    try {
      const answer = await httpRequest({
        url: gateway.url,
        method,
        headers: { Host: gateway.host, ...message.headers },
        body: message.body,
        maxBytes: LIMITS.answerBytes,
        timeoutMs: timeoutSeconds * SECOND,
        side,
        clock: this.#clock,
        tls: {
          name: gateway.name,
          ...(trusted === undefined ? {} : { ca: trusted }),
          ...(this.#settings.pin === undefined ? {} : { pin: this.#settings.pin }),
        },
      });
      return this.#judge(answer);
    } catch (cause) {
      const { kind, message: why } = asFault(cause);
      throw new Fault(kind, `${this.#host} was not given the message: ${why}`, { cause });
    }
  }

  get #host(): string {
    return new URL(this.#settings.url).host;
  }

  async #message(
    to: string,
    text: string,
  ): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly body: string }> {
    const { headers, form, json, user, secretFile } = this.#settings;
    const secret = secretFile === undefined ? "" : (await passwordIn(secretFile, "sms.secretFile")).reveal();
    const filled: Filled = { to, digits: to.slice(1), text, id: randomUUID(), secret };
    const filledHeaders = fill(headers, filled);
    // Of the file alone: everything else is of the configuration, which was looked at.
    if (!Object.values(filledHeaders).every((value) => /^[\x20-\x7e]+$/.test(value)))
      throw new Fault("unavailable", "the secret of the SMS gateway cannot be in a header: it is not ASCII");
    const basic = user === undefined ? undefined : Buffer.from(`${user}:${secret}`).toString("base64");
    const [type, body] =
      form === undefined
        ? ["application/json", JSON.stringify(fill(json, filled))]
        : ["application/x-www-form-urlencoded", new URLSearchParams(fill(form, filled)).toString()];
    const authorization = basic === undefined ? {} : { Authorization: `Basic ${basic}` };
    return { headers: { ...filledHeaders, ...authorization, "Content-Type": type }, body };
  }

  #judge({ status, body }: HttpAnswer): SmsAnswer {
    const { statuses, contains } = this.#settings.success;
    const text = body.toString("utf8");
    const good = statuses === undefined ? status >= 200 && status <= 299 : statuses.includes(status);
    return { taken: good && (contains === undefined || text.includes(contains)), status, text };
  }
}

function limitsOf(perHour: number, perDay: number): readonly CodeLimit[] {
  return [
    { count: perHour, withinMs: HOUR },
    { count: perDay, withinMs: DAY },
  ];
}

/** The same value with the blanks in its texts filled in, in one go: what is filled in is not looked at again. */
function fill<T>(template: T, filled: Filled): T {
  if (typeof template === "string") return template.replace(BLANK, (_, name: SmsBlank) => filled[name]) as T;
  if (typeof template !== "object" || template === null) return template;
  if (Array.isArray(template)) return template.map((one: unknown) => fill(one, filled)) as T;
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) => [name, fill(value as unknown, filled)]),
  ) as T;
}
