/** What makes two findings the same: what is said, without numbers and quotations, and where. */
export function kindOf(error: Error): string {
  const place = /\n\s+at (?<place>.*)/.exec(error.stack ?? "")?.groups?.["place"] ?? "";
  return `${error.name}: ${error.message.replace(/".*"|'.*'|\d+/gs, "…")} at ${place}`;
}

/** Attempts to make an input shorter. */
const ATTEMPTS = 2000;

/**
 * The shortest input that is found by leaving out stretches of `input`, larger ones first, as long as `fails` says that it fails
 * in the same way.
 */
export async function minimized(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input;
  let left = ATTEMPTS;
  for (let length = input.length; length > 0; length = Math.floor(length / 2))
    for (let at = 0; at < best.length && left > 0; left -= 1) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + length)]);
      if (await fails(shorter)) best = shorter;
      else at += length;
    }
  return best;
}
