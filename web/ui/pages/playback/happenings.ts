import { useEffect, useState } from "preact/hooks";
import { call } from "../../api.ts";
import type { Instant, Span } from "./protocol.ts";

/** Ticks of events in the whole width of a timeline. */
const BUCKETS = 200;

/** A view that moves is waited for so long. */
const SETTLE_MS = 300;

/** New events are looked for so often. */
const REFRESH_MS = 10_000;

/** What somebody said of a stretch. */
export interface Mark extends Span {
  readonly id: string;
  readonly kind: MarkKind;
  readonly camera: string;
  readonly text: string;
  readonly who: string;
}

export type MarkKind = "bookmark" | "lock";

/** What happened at a camera, and what was said of it, as far as the account may know. */
export interface Happenings {
  readonly events: readonly (Span & { readonly kind: string; readonly count: number })[];
  readonly marks: readonly Mark[];
}

type ToldMark = Omit<Mark, "from" | "to" | "kind" | "camera"> & { readonly from: string; readonly to: string };

interface Told {
  readonly from: string;
  readonly to: string;
  readonly events: readonly { readonly kind: string; readonly bucket: number; readonly count: number }[];
  readonly bookmarks: readonly ToldMark[];
  readonly locks: readonly ToldMark[];
}

/** What happened at each of the cameras in what is looked at. `again`: another number asks once more. */
export function useHappenings(cameras: readonly string[], view: Span, again: number): ReadonlyMap<string, Happenings> {
  const [known, setKnown] = useState<ReadonlyMap<string, Happenings>>(new Map());
  const chosen = cameras.join(",");
  useEffect(() => {
    let stopped = false;
    const ask = async (): Promise<void> => {
      const found = await Promise.all(
        // One that may not be asked about shows nothing here.
        cameras.map(async (camera) => [camera, await happeningsOf(camera, view).catch(() => undefined)] as const),
      );
      if (!stopped) setKnown(new Map(found.flatMap(([camera, one]) => (one === undefined ? [] : [[camera, one]]))));
    };
    const first = window.setTimeout(() => void ask(), SETTLE_MS);
    const timer = window.setInterval(() => void ask(), REFRESH_MS);
    return () => {
      stopped = true;
      window.clearTimeout(first);
      window.clearInterval(timer);
    };
  }, [chosen, view.from, view.to, again]);
  return known;
}

async function happeningsOf(camera: string, view: Span): Promise<Happenings> {
  const query = new URLSearchParams({ from: iso(view.from), to: iso(view.to), buckets: String(BUCKETS) });
  const told = await call<Told>("GET", `/api/cameras/${encodeURIComponent(camera)}/timeline?${query}`);
  const [from, to] = [Date.parse(told.from), Date.parse(told.to)];
  const width = (to - from) / BUCKETS;
  const mark = (kind: MarkKind) => (one: ToldMark) => ({
    ...one,
    kind,
    camera,
    from: Date.parse(one.from),
    to: Date.parse(one.to),
  });
  return {
    events: told.events.map(({ kind, bucket, count }) => ({
      kind,
      count,
      from: from + bucket * width,
      to: from + (bucket + 1) * width,
    })),
    marks: [...told.bookmarks.map(mark("bookmark")), ...told.locks.map(mark("lock"))],
  };
}

/** Makes a bookmark or a lock. */
export async function setMark(mark: Omit<Mark, "id" | "who">): Promise<void> {
  const { kind, camera, from, to, text } = mark;
  await call("POST", `/api/cameras/${encodeURIComponent(camera)}/${kind}s`, { from: iso(from), to: iso(to), text });
}

export async function removeMark({ kind, camera, id }: Mark): Promise<void> {
  await call("DELETE", `/api/cameras/${encodeURIComponent(camera)}/${kind}s/${encodeURIComponent(id)}`);
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}
