import { type Millis, SECOND } from "../../base/units.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { ReplayMarks } from "./replay-extension.ts";

/** More than this between two access units is a gap in the footage. */
const GAP_MS: Millis = 1.5 * SECOND;

/** A group and what a client of a replay is told of it; which PLAY it belongs to is known elsewhere. */
export interface MarkedGroup {
  readonly group: PacketGroup;
  readonly marks: Omit<ReplayMarks, "sequence">;
}

/** What becomes of a group that is read. */
export interface Passage {
  /** The group, perhaps as another one; undefined where it is left out. */
  passed(group: PacketGroup): PacketGroup | undefined;
  /** When to read on behind a group that was left out, where that is not at once. */
  rest(group: PacketGroup): Promise<void> | undefined;
}

/** Plain players are told nothing, so nothing has to be looked ahead for. */
export async function* unmarked(
  groups: AsyncIterable<PacketGroup | undefined>,
  passage: Passage,
): AsyncGenerator<MarkedGroup | undefined> {
  for await (const read of groups) {
    const group = read && passage.passed(read);
    if (group !== undefined)
      yield { group, marks: { end: false, discontinuity: group.discontinuity, terminal: false } };
    else if (read === undefined) yield undefined;
    else await passage.rest(read);
  }
}

/**
 * Marks what a forward replay sends. Whether an access unit is the last of its section is seen by what follows it on its track,
 * so each track is one behind. What does not pass is left out. Undefined is handed on: nothing follows at the moment, and nothing is held back then.
 */
export async function* markedForward(
  groups: AsyncIterable<PacketGroup | undefined>,
  passage: Passage,
): AsyncGenerator<MarkedGroup | undefined> {
  const held = new Map<number, PacketGroup>();
  /** All that are held, in order; they are handed on one by one. */
  function* rest(): Generator<PacketGroup> {
    for (const one of [...held.values()].sort((a, b) => a.at - b.at)) {
      held.delete(one.track);
      yield one;
    }
  }
  try {
    for await (const read of groups) {
      if (read === undefined) {
        for (const one of rest()) yield mark(one, false, false);
        yield undefined;
        continue;
      }
      const group = passage.passed(read);
      if (group === undefined) {
        await passage.rest(read);
        continue;
      }
      const before = held.get(group.track);
      held.set(group.track, group);
      if (before !== undefined) yield mark(before, group.discontinuity && group.at - before.at > GAP_MS, false);
    }
    for (const one of rest()) yield mark(one, false, true);
  } finally {
    // Nobody else knows of them, and one holds the memory of all that lie beside it.
    for (const group of held.values()) group.release();
  }
}

/**
 * Marks what a backward replay sends. Whether a section ends is seen by when the earlier group of pictures ends, so it is one
 * group of pictures behind. `toBeginning`: no end was named, so that the last one is the beginning of the footage.
 */
export async function* markedBackward(
  groups: AsyncIterable<PacketGroup>,
  passage: Passage,
  toBeginning: boolean,
): AsyncGenerator<MarkedGroup> {
  let complete: PacketGroup[] = [];
  let pictures: PacketGroup[] = [];
  try {
    for await (const read of groups) {
      const group = passage.passed(read);
      if (group === undefined) {
        await passage.rest(read);
        continue;
      }
      if (group.discontinuity && pictures.length > 0) {
        const [later, end] = [complete, isGap(complete, pictures)];
        complete = pictures;
        pictures = [group];
        yield* marked(later, end, false);
      } else pictures.push(group);
    }
    yield* marked(complete, isGap(complete, pictures), false);
    yield* marked(pictures, toBeginning, true);
  } finally {
    for (const group of [...complete, ...pictures]) group.release();
  }
}

function mark(group: PacketGroup, end: boolean, terminal: boolean): MarkedGroup {
  return { group, marks: { end, discontinuity: group.discontinuity, terminal } };
}

/** Between a group of pictures and the earlier one that is sent behind it. */
function isGap(later: readonly PacketGroup[], earlier: readonly PacketGroup[]): boolean {
  const [start, end] = [later[0]?.at, earlier.at(-1)?.at];
  return start !== undefined && end !== undefined && start - end > GAP_MS;
}

function* marked(pictures: PacketGroup[], end: boolean, terminal: boolean): Generator<MarkedGroup> {
  let discontinuity = true;
  try {
    for (let group = pictures.shift(); group !== undefined; group = pictures.shift()) {
      const last = pictures.length === 0;
      yield { group, marks: { end: last && end, discontinuity, terminal: last && terminal } };
      discontinuity = false;
    }
  } finally {
    for (const group of pictures) group.release();
  }
}
