import type { RecordedSource, Span } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";

/** A recording of which a test asks only what and when it is. */
export function unreadRecording(tracks: readonly Track[], extent: Span | undefined): RecordedSource {
  const nothing = () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("this is not read")) }),
  });
  return {
    tracks: () => Promise.resolve(tracks),
    extent: () => Promise.resolve(extent),
    read: nothing,
    follow: nothing,
    readBackward: nothing,
  };
}
