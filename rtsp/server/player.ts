import type { PacketGroup } from "../../media/group.ts";
import type { Sent } from "../../media/sent.ts";
import type { Range } from "../wire/range.ts";

/** What a session is sent between PLAY and PAUSE. Silent until `run`, so that the answer to PLAY goes out before it. */
export interface Player {
  /** The first group of each track, as far as they are known before anything is sent. */
  readonly first: ReadonlyMap<number, PacketGroup>;
  /** What is played, for the answer to PLAY. */
  readonly range: Range | undefined;
  /** What this client was sent. Absent where it is sent to many at once. */
  readonly sent?: Sent;
  /** May be called once. */
  run(): void;
  /** The client cannot decode before the next key frame, and wants it soon. Absent where none can come before its time. */
  requestKey?(): void;
  /** A track is not set up any more: nothing of it is sent after this. */
  lanesChanged?(): void;
  /** Nothing is sent after it. */
  stop(): void;
}
