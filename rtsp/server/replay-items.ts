import type { Clock } from "../../base/clock.ts";
import type { ReusedMemory } from "../../media/reused-memory.ts";
import { Search } from "../../media/search.ts";
import type { RecordedSource } from "../../media/source.ts";
import type { ReplayManner } from "../wire/replay.ts";
import { FrameFilter } from "./frame-filter.ts";
import { hasVideo, type Lanes } from "./lane.ts";
import { type MarkedGroup, markedBackward, markedForward, type Passage, unmarked } from "./replay-marks.ts";
import type { SentNumbers } from "./sent-numbers.ts";
import type { Stretch } from "./stretch.ts";

export interface ItemsOptions {
  readonly source: RecordedSource;
  readonly stretch: Stretch;
  readonly manner: ReplayManner;
  readonly lanes: Lanes;
  readonly clock: Clock;
  /** Goes on over all PLAYs of a session (RFC 2326 B). */
  readonly numbers: SentNumbers;
  /** ONVIF replay: low byte of the PLAY's CSeq. Undefined: a plain player, which is told nothing of ONVIF and waits for the end. */
  readonly onvif: number | undefined;
}

/**
 * What is played, as far as the client has set it up and asked for it, in `memory`. Undefined says that there is nothing more at the
 * moment. Ends early when `signal` is aborted.
 */
export function itemsOf(
  o: ItemsOptions,
  memory: ReusedMemory,
  signal: AbortSignal,
): AsyncGenerator<MarkedGroup | undefined> {
  const { source, stretch, manner, lanes } = o;
  const passage = passageOf(o, memory, signal);
  const reading = { ...stretch, memory, numbering: (index: number) => o.numbers.of(index) };
  if (manner.scale < 0) {
    const backward = source.readBackward({ ...reading, withoutVideo: !hasVideo(lanes) }, signal);
    return markedBackward(backward, passage, stretch.to === undefined);
  }
  const groups = source.follow(reading, signal);
  return o.onvif === undefined ? unmarked(groups, passage) : markedForward(groups, passage);
}

/** What the client wants passes; where nothing of its tracks is found for long, reading has a rest. */
function passageOf({ lanes, manner, clock }: ItemsOptions, memory: ReusedMemory, signal: AbortSignal): Passage {
  const filter = new FrameFilter(lanes, manner, memory);
  const search = new Search(clock, signal);
  return {
    passed(group) {
      if (filter.isOf(group)) search.found();
      return filter.passed(group);
    },
    rest: (group) => (filter.isOf(group) ? undefined : search.passedOver(group.byteLength)),
  };
}
