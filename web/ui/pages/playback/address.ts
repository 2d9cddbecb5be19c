import type { Instant } from "./protocol.ts";
import type { Choice } from "./streams.ts";

/** What the address of the page says: `?camera=gate,yard/sub&at=2026-11-24T10:00:00.000Z`. */
export interface Asked {
  readonly cameras: readonly string[];
  /** By camera, of those of which one stream is chosen. */
  readonly choices: ReadonlyMap<string, string>;
  readonly at: Instant | undefined;
}

/** Cameras that are not there are left out, and those beyond `most`; of one without the stream that is named, the best is shown. */
export function askedIn(
  search: string,
  cameras: readonly { readonly id: string; readonly streams: readonly { readonly name: string }[] }[],
  most: number,
): Asked {
  const query = new URLSearchParams(search);
  const named = (query.get("camera") ?? "").split(",").map((text) => text.split("/", 2));
  const found = named.flatMap(([id, stream]) => {
    const camera = cameras.find((one) => one.id === id);
    return camera === undefined ? [] : [{ id: camera.id, choice: camera.streams.find(({ name }) => name === stream) }];
  });
  const at = Date.parse(query.get("at") ?? "");
  const choices = found.flatMap(({ id, choice }) => (choice === undefined ? [] : [[id, choice.name] as const]));
  return {
    cameras: [...new Set(found.map(({ id }) => id))].slice(0, most),
    choices: new Map(choices),
    at: Number.isNaN(at) ? undefined : at,
  };
}

/** The address that says it. */
export function addressOf(cameras: readonly string[], choiceOf: (camera: string) => Choice, at: Instant): string {
  const named = cameras.map((id) => [id, choiceOf(id) ?? []].flat().join("/"));
  return `?camera=${named.join(",")}&at=${new Date(at).toISOString()}`;
}
