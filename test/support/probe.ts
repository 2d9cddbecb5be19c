import type { Peer } from "./peer.ts";

/** What ffprobe calls the codecs of what it finds at an address or in a file: `where`, with the options that belong before it. */
export async function probeCodecs(
  ffprobe: Peer,
  where: readonly string[],
): Promise<{ readonly code: number | null; readonly stderr: string; readonly codecs: readonly string[] }> {
  const show = ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"];
  const { code, stdout, stderr } = await ffprobe.run([...show, ...where]);
  return { code, stderr, codecs: stdout.toString().trim().split("\n") };
}
