/** What people call what browsers call otherwise. */
const NAMES: Readonly<Record<string, string>> = { avc1: "H.264", hvc1: "H.265" };

/** Says that this browser does not decode a codec as RFC 6381 has it (`hvc1.1.6.L93.B0`), by itself or in a MIME type. */
export function unshowable(codec: string): string {
  const [kind = ""] = (/codecs="([^"]+)/.exec(codec)?.[1] ?? codec).split(".");
  return `This browser cannot show ${NAMES[kind] ?? kind} video.`;
}
