import { z } from "zod";
import { INTERFACES } from "../../auth/right.ts";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import { readIfThere } from "../../base/whole-file.ts";

const LIMITS = {
  /** A file that is longer is not ours. */
  characters: 1_000_000,
} as const;

/** What an external system met. */
export const REFUSAL_CODES = [
  "wrong-secret",
  "clock-off",
  "used-again",
  "incomplete-token",
  "readable-password",
  "algorithm",
  "scheme",
  "jwt",
  "client-certificate",
  "throttled",
  "no-right",
  "right-ended",
  "not-found",
  "unsupported-operation",
  "old-soap",
  "transport-off",
  "no-srtp-keys",
  "not-notified",
  "busy",
  "unavailable",
  "bad-request",
  "internal",
  "tls-too-old",
  "no-shared-cipher",
  "certificate-not-trusted",
  "plain-to-tls",
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

const instant = z.number().transform((at): UnixMillis => unixMillis(at));
const text = z.string().max(200);

const refusalSchema = z.strictObject({
  code: z.enum(REFUSAL_CODES),
  interface: z.enum(INTERFACES),
  /** Remote IP address. */
  address: text,
  /** The account, or the name that was tried; absent where none was given. */
  account: text.exactOptional(),
  /** Of that name, when it was refused last. */
  accountState: z.enum(["unknown", "disabled", "not-armed", "person", "integration"]).exactOptional(),
  /** What was asked for: an operation, or a method and an address. */
  what: text,
  right: text.exactOptional(),
  camera: text.exactOptional(),
  /** By code: seconds that a clock is behind, an algorithm, what is wrong with a JWT, the nearest miss of a right, what the client was told. */
  detail: text.exactOptional(),
  first: instant,
  last: instant,
  count: z.int().positive(),
});

/** One way in which one client was refused, however often. */
export type Refusal = Readonly<z.output<typeof refusalSchema>>;

/** The file in the data folder, for the command line: it can be read while the bridge runs, and when it does not. */
export const REFUSALS_FILE = "refusals.json";

/** Those of a file, the oldest first; none where there is none, or it is not ours. Fault `unavailable`. */
export async function readRefusals(file: string): Promise<readonly Refusal[]> {
  const json = (await readIfThere(file)) ?? "[]";
  if (json.length > LIMITS.characters) return [];
  try {
    const read = z.array(refusalSchema).safeParse(JSON.parse(json));
    return read.success ? read.data : [];
  } catch {
    return [];
  }
}
