import { splitStartCodes } from "./nal.ts";

/** The value of a parameter of `a=fmtp`, whatever the case of its name (RFC 8866 6.15). */
export function fmtpValue(fmtp: string, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const part of fmtp.split(";")) {
    const equals = part.indexOf("=");
    if (equals > 0 && part.slice(0, equals).trim().toLowerCase() === wanted) return part.slice(equals + 1).trim();
  }
  return undefined;
}

/** `fmtp` with these parameters set, the others kept in their order. */
export function fmtpWith(fmtp: string, values: Readonly<Record<string, string>>): string {
  const kept = fmtp
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "" && !Object.hasOwn(values, (part.split("=", 1)[0] ?? "").trim().toLowerCase()));
  return [...kept, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)].join(";");
}

/**
 * NAL units out of a comma-separated base64 list (RFC 6184 8.1, RFC 7798 7.1). What does not decode is left out, and start
 * codes, which some cameras put before or between the units, are cut off.
 */
export function base64Nals(list: string): readonly Buffer[] {
  return list
    .split(",")
    .flatMap((text) => splitStartCodes(Buffer.from(text.trim(), "base64")).filter((nal) => nal.length > 1));
}
