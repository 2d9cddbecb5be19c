import { type DestinationStream, type Logger, pino } from "pino";
import type { Clock } from "./clock.ts";
import { Fault } from "./fault.ts";
import { MINUTE, type Millis, type MonotonicMillis } from "./units.ts";

/** A structured log. `child` adds fields (camera, connection, session) to every line. */
export type Log = Logger;

/** Fields whose values never reach the log, at the top of a line and one level down. */
const SECRET_FIELDS = ["password", "secret", "token", "authorization", "cookie", "nonce", "key", "passphrase", "pass"];

/**
 * Everything between `//` and `@` in an address: a user name and password that someone wrote into a URL. This and what follows run on what
 * clients write, in linear time: each part is bounded, or ends where the next one cannot begin.
 */
const USER_INFO = /(\b[a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/]*@/gi;

/** What parameters are called that a log-in stands in, as far as cameras are known to. */
const LOG_IN =
  "(?:u|p|pw|sid|key|(?:user|usr|login)[a-z0-9_-]{0,16}|[a-z0-9_-]{0,16}(?:pass|pwd|psw|secret|token|auth)[a-z0-9_-]{0,16})";

/**
 * A log-in in the query of an address, or in its path (XM: `/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp`). Rather too much than too
 * little: a password may hold whatever does not end it for certain.
 */
const PARAMETERS = new RegExp(
  `([?&;]${LOG_IN}=)[^\\s&"<>]*|([/_]${LOG_IN}=)(?:(?!_(?:channel|stream)=)[^\\s&"<>/?])*`,
  "gi",
);

/** Text with the log-ins in every address in it removed. */
export function withoutLogIns(text: string): string {
  return text.replace(PARAMETERS, "$1$2[secret]").replace(USER_INFO, "$1");
}

function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: withoutLogIns(String(error)) };
  const fields: Record<string, unknown> = { message: withoutLogIns(error.message) };
  if (error instanceof Fault) fields["kind"] = error.kind;
  // A Fault says all it knows in its message; anything else is a bug, and its stack finds it.
  if (!(error instanceof Fault) || error.kind === "internal") fields["stack"] = withoutLogIns(error.stack ?? "");
  if (error.cause !== undefined) fields["cause"] = describe(error.cause);
  return fields;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** JSON lines to standard error, or to `destination`. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "[secret]" },
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describe, url: (value: unknown) => withoutLogIns(String(value)) },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** A log that drops everything, for tests and for tools that print their own words. */
export function silentLog(): Log {
  return createLog("silent");
}

/** Lets a line through once per period and key, so that a peer cannot fill the log by doing one thing again and again. */
export class Repeats {
  /** Bounds what one flood of different keys can hold; the oldest is forgotten first. */
  static readonly maxKeys = 1000;

  readonly #clock: Clock;
  readonly #periodMs: Millis;
  readonly #seen = new Map<string, { since: MonotonicMillis; suppressed: number }>();

  constructor(clock: Clock, periodMs: Millis = MINUTE) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** `undefined`: keep quiet. A number: log now, and this many have been kept quiet since the last time. */
  admit(key: string): number | undefined {
    const now = this.#clock.monotonic();
    const entry = this.#seen.get(key);
    if (entry !== undefined && now - entry.since < this.#periodMs) {
      entry.suppressed += 1;
      return undefined;
    }
    this.#seen.delete(key);
    this.#seen.set(key, { since: now, suppressed: 0 });
    if (this.#seen.size > Repeats.maxKeys) {
      const oldest = this.#seen.keys().next();
      if (oldest.done !== true) this.#seen.delete(oldest.value);
    }
    return entry?.suppressed ?? 0;
  }
}
