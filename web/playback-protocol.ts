import { z } from "zod";
import { unixMillis } from "../base/units.ts";
import type { KeyFrame } from "./key-frame.ts";
import type { SoundFormat } from "./sound.ts";
import type { Timeline } from "./timeline.ts";

/** Instants of pages: years have four digits. */
const instant = z
  .number()
  .min(0)
  .max(Date.UTC(9999, 11, 31))
  .transform(unixMillis);

/** The camera's stream that is meant; that of the connection's address if absent. */
const stream = z
  .string()
  .regex(/^[a-z0-9-]{1,16}$/)
  .optional();

/**
 * What a page asks for. `run` is a number of the page's own, which comes back with all that belongs to what it asked for. Of each stream
 * one run is read at a time.
 */
export const playbackRequest = z.discriminatedUnion("type", [
  /** Pictures from the last key frame at or before `from` on, up to `until`; or key frames backwards from there. */
  z.strictObject({
    type: z.literal("read"),
    stream,
    run: z.int(),
    from: instant,
    until: instant,
    backward: z.boolean().default(false),
  }),
  /** The same up to another instant. */
  z.strictObject({ type: z.literal("more"), stream, run: z.int(), until: instant }),
  /** No more pictures. */
  z.strictObject({ type: z.literal("stop"), stream }),
  /** What of that range is recorded. */
  z.strictObject({ type: z.literal("timeline"), stream, from: instant, to: instant }),
  /** One picture for a thumbnail: the last key frame at or before that instant. */
  z.strictObject({ type: z.literal("key-frame"), stream, at: instant }),
]);

export type PlaybackRequest = z.output<typeof playbackRequest>;

/** What a page is told in words; bytes follow some of them at once. */
export type PlaybackMessage =
  /** `mime` is for Media Source Extensions. An initialization segment follows. */
  | {
      readonly type: "stream";
      readonly run: number;
      readonly mime: string;
      readonly width: number;
      readonly height: number;
    }
  /** The instants of the pictures in the fragment that follows, in the order in which they are seen; milliseconds since 1970. */
  | { readonly type: "pictures"; readonly run: number; readonly at: readonly number[] }
  /** Everything that was asked for is told; the next picture is at that instant. */
  | { readonly type: "waiting"; readonly run: number; readonly next: number }
  /** There is nothing more in that direction. Forward, it goes on where more is recorded. */
  | { readonly type: "end"; readonly run: number }
  /** It cannot be shown in a browser, or not be read; `why` is a sentence for people. */
  | { readonly type: "unplayable"; readonly run: number; readonly why: string }
  /** For what was asked for at `asked`. As many bytes of decoder configuration, and the picture behind them, follow. */
  | ({ readonly type: "key-frame"; readonly asked: number; readonly configBytes: number } & Omit<
      KeyFrame,
      "config" | "data"
    >)
  /** Nothing is recorded there, or it cannot be shown: `why`, a sentence for people, is there then. */
  | { readonly type: "no-key-frame"; readonly asked: number; readonly why?: string }
  | Timeline;

/** What a page is told of the sound of a recording; the bytes of a piece follow it at once. */
export type RecordedSoundMessage =
  | ({ readonly type: "sound"; readonly run: number } & SoundFormat)
  /** One access unit, behind the instant of its capture. */
  | { readonly type: "piece"; readonly run: number }
  | Extract<PlaybackMessage, { type: "waiting" | "unplayable" }>;

/** What is asked for of the pictures, or of the sound. */
export type PictureRequest = Exclude<PlaybackRequest, { type: "timeline" | "key-frame" }>;

export type ReadRequest = Extract<PlaybackRequest, { type: "read" }>;
