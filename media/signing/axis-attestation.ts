import { hash, type KeyObject, verify, type X509Certificate } from "node:crypto";
import { ByteReader } from "../../base/bytes.ts";
import { ifValid } from "../../base/fault.ts";

/** In the name of the certificate with which a camera's chip vouches for keys, before the number of the chip. */
const CHIP_NAME = /^CN=Axis Edge Vault Attestation (04005001[0-9A-Fa-f]{28})$/m;
const SERIAL_NAME = /^serialNumber=(.+)$/m;

/** Of the command with which the camera asked its chip for the key: it is the same in all, the number against repetition too. */
const COMMAND = hash(
  "sha256",
  Buffer.from("8022000000002141047b0002014504f0000012460121471092bbedfb9882ac16c7f01ae459059604", "hex"),
  "buffer",
);
/** What the chip says of the object that the key is in. */
const ATTRIBUTES = Buffer.from("7b000201290100007b0000030000087b0000031f3c00000800000000002000000200000000", "hex");

/** Tags of the answer, with their lengths, between which the fields stand. */
const ANSWER = {
  key: Buffer.from("41820041", "hex"),
  chip: Buffer.from("42820012", "hex"),
  attributes: Buffer.from("43820025", "hex"),
  time: Buffer.from("4482000200204f82000c", "hex"),
};
const KEY_BYTES = 65;
const TIME_BYTES = 12;

/**
 * Whether the chip of an Axis camera says of a key that it was made in it: a report as Edge Vault gives it (the answer of an NXP SE050 to
 * ReadObject with attestation), signed with the chip's certificate. Undefined: it does; otherwise why not.
 */
export function whyNotAttested(
  key: KeyObject,
  {
    report,
    by,
    serial,
  }: { readonly report: Buffer; readonly by: X509Certificate; readonly serial: string | undefined },
): string | undefined {
  const chip = CHIP_NAME.exec(by.subject)?.[1];
  if (chip === undefined) return "what vouches for its key is no certificate of a chip of Axis";
  const own = SERIAL_NAME.exec(by.subject)?.[1];
  if (serial !== undefined && serial !== "" && own !== serial)
    return `it says that it is ${serial}, and the chip that vouches for its key is of ${own ?? "no camera"}`;
  const read = ifValid(() => readReport(report));
  const point = pointOf(key);
  if (read === undefined || point === undefined) return "what vouches for its key makes no sense";
  const fields = [
    [ANSWER.key, point],
    [ANSWER.chip, Buffer.from(chip, "hex")],
    [ANSWER.attributes, ATTRIBUTES],
    [ANSWER.time, read.time],
  ];
  const answer = [COMMAND, ...fields.flat()];
  return isSigned(Buffer.concat(answer), read.signature, by)
    ? undefined
    : "its key is not the one that the camera's chip vouches for";
}

/** A header, its version, the object, one entry: when the chip was asked by its own clock, and its signature. */
function readReport(report: Buffer): { readonly time: Buffer; readonly signature: Buffer } | undefined {
  const reader = new ByteReader(report);
  reader.skip(8);
  if (reader.u8() !== 1) return undefined;
  const time = reader.view(TIME_BYTES);
  const signature = reader.view(reader.u16());
  return reader.remaining === 0 ? { time, signature } : undefined;
}

/** Of a key of the curve P-256: the point, uncompressed. */
function pointOf(key: KeyObject): Buffer | undefined {
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return undefined;
  return key.export({ format: "der", type: "spki" }).subarray(-KEY_BYTES);
}

function isSigned(bytes: Buffer, signature: Buffer, { publicKey }: X509Certificate): boolean {
  try {
    return publicKey.asymmetricKeyType === "ec" && verify("sha256", bytes, publicKey, signature);
  } catch {
    return false;
  }
}
