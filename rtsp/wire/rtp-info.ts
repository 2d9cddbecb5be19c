import { Fault } from "../../base/fault.ts";

const LIMITS = { characters: 8192, entries: 32 };

/** Where one track of a presentation begins (RFC 2326 12.33). */
export interface RtpInfo {
  readonly url: string;
  readonly seq?: number;
  readonly rtptime?: number;
}

export function printRtpInfo(entries: readonly RtpInfo[]): string {
  return entries
    .map(({ url, seq, rtptime }) =>
      [
        `url=${url}`,
        ...(seq === undefined ? [] : [`seq=${seq}`]),
        ...(rtptime === undefined ? [] : [`rtptime=${rtptime}`]),
      ].join(";"),
    )
    .join(",");
}

/** Reads what there is; a number that makes no sense is left out, for the header only helps. */
export function parseRtpInfo(value: string): readonly RtpInfo[] {
  if (value.length > LIMITS.characters) throw new Fault("invalid", "RTP-Info is too long");
  // Addresses may hold commas; an entry begins where a comma is followed by `url=`.
  const texts = value.split(/,(?=\s*url\s*=)/i);
  if (texts.length > LIMITS.entries) throw new Fault("invalid", `RTP-Info: ${texts.length} entries`);
  return texts.map((text) => {
    const field = (name: string): string | undefined =>
      new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*([^;]*)`, "i").exec(text)?.[1]?.trim();
    const number = (name: string, most: number): number | undefined => {
      const read = field(name);
      return read !== undefined && /^\d{1,10}$/.test(read) && Number(read) <= most ? Number(read) : undefined;
    };
    const seq = number("seq", 0xffff);
    const rtptime = number("rtptime", 0xffff_ffff);
    return {
      url: field("url") ?? "",
      ...(seq === undefined ? {} : { seq }),
      ...(rtptime === undefined ? {} : { rtptime }),
    };
  });
}
