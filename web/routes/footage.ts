import { Router } from "@koa/router";
import { z } from "zod";
import type { SecondPerson } from "../../auth/approval.ts";
import type { Audit } from "../../auth/audit.ts";
import type { Principal } from "../../auth/principal.ts";
import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import { DAY, isoOf, type UnixMillis, unixMillis } from "../../base/units.ts";
import { reachOf, timelineOf } from "../../bridge/client-side/timeline.ts";
import { streamOf, type Watch } from "../../bridge/client-side/watch.ts";
import { peerOf } from "../../net/http.ts";
import type { Archive } from "../../recorder/archive.ts";
import type { Mark } from "../../recorder/journal.ts";
import { jsonBody } from "../body.ts";
import { askerOf } from "../managed-by.ts";
import { caller, doorOf, type WebDoor, type WebState } from "../state.ts";

/** ISO 8601 with zone. */
const instant = z.iso.datetime({ offset: true }).transform((text) => unixMillis(Date.parse(text)));
const question = z.object({
  from: instant,
  to: instant,
  buckets: z.coerce.number().int().default(100),
  stream: z.string().max(64).optional(),
});
const mark = z
  .strictObject({ from: instant, to: instant.optional(), text: z.string().trim().min(1).max(500) })
  .refine(({ from, to }) => to === undefined || to >= from, "to is before from");

/** Marks, by the name of their routes: the right to make and to remove them has the name of their kind. */
const MARKS = { bookmarks: "bookmark", locks: "lock" } as const satisfies Record<string, Mark["kind"]>;

/** What was recorded of a camera and what happened there, at a glance; bookmarks, and locks against deletion. */
export function footageRoutes(o: {
  readonly watch: Watch;
  readonly archive: Pick<Archive, "gaps" | "spans" | "fetchedSpans" | "journal">;
  readonly audit: Audit;
  readonly approvals: SecondPerson;
  readonly clock: Clock;
}): Router<WebState> {
  const router = new Router<WebState>({ prefix: "/api/cameras" });

  router.get("/:id/timeline", async (ctx) => {
    const who = caller(ctx);
    const { id = "" } = ctx["params"] as { id?: string };
    const camera = o.watch.see(who, id, doorOf(ctx));
    const read = question.safeParse(ctx.query);
    if (!read.success)
      throw new Fault("invalid", "timeline", { tell: "ask for from and to, as 2026-11-24T10:00:00Z, and buckets" });
    // Missing where there is no such stream.
    streamOf(camera, read.data.stream);
    const found = await timelineOf(o.archive, who, doorOf(ctx), id, read.data);
    ctx.body = {
      ...found,
      from: isoOf(found.from),
      to: isoOf(found.to),
      gaps: found.gaps.map((gap) => ({ ...gap, from: isoOf(gap.from), to: gap.to && isoOf(gap.to) })),
      fetched: found.fetched.map(({ from, to }) => ({ from: isoOf(from), to: isoOf(to) })),
      bookmarks: found.bookmarks.map(shown),
      locks: found.locks.map(shown),
    };
  });

  /** What somebody may not find, they can neither mark nor unmark. Fault `denied` for who may find nothing. */
  const oldest = (who: Principal, id: string, door: WebDoor): UnixMillis => {
    const reachMs = reachOf(who, id, door);
    if (reachMs <= 0) throw new Fault("denied", `${who.name} may find nothing of ${id}`, { tell: "not allowed" });
    return unixMillis(Math.max(0, o.clock.now() - reachMs));
  };

  for (const [name, kind] of Object.entries(MARKS)) {
    router.post(`/:id/${name}`, async (ctx) => {
      const who = caller(ctx);
      const door = doorOf(ctx);
      const { id = "" } = ctx["params"] as { id?: string };
      const { address } = peerOf(ctx.req.socket);
      o.watch.open(who, id, kind, door, address);
      const { from, to = from, text } = await jsonBody(ctx.req, mark);
      if (from < oldest(who, id, door))
        throw new Fault("denied", `${who.name}: too old to mark`, { tell: "not allowed" });
      assertPast(from, to, o.clock.now());
      const made = await o.archive.journal.mark({
        kind,
        camera: id,
        from,
        to,
        text,
        who: who.name,
        madeAt: o.clock.now(),
      });
      record(o.audit, `set-${kind}`, made, { who: who.name, interface: door, address });
      ctx.status = 201;
      ctx.body = shown(made);
    });

    router.delete(`/:id/${name}/:mark`, async (ctx) => {
      const who = caller(ctx);
      const door = doorOf(ctx);
      const { id = "", mark: wanted = "" } = ctx["params"] as { id?: string; mark?: string };
      const { address } = peerOf(ctx.req.socket);
      o.watch.open(who, id, kind, door, address);
      const since = oldest(who, id, door);
      if (kind === "lock") {
        const range = { from: since, to: unixMillis(Number.MAX_SAFE_INTEGER) };
        const lock = (await o.archive.journal.marks(id, range, kind)).find((one) => one.id === wanted);
        if (lock === undefined) throw new Fault("not-found", `no lock ${wanted} of ${id}`);
        await o.approvals.pass(askerOf(ctx), "unlock", () => ({
          params: lock,
          words: `unlock ${id}, ${wordsOf(lock)}`,
        }));
      }
      const gone = await o.archive.journal.unmark(id, kind, wanted, since);
      record(o.audit, `remove-${kind}`, gone, { who: who.name, interface: door, address });
      ctx.status = 204;
    });
  }
  return router;
}

/** A lock may reach a day ahead, while something is still going on. */
function assertPast(from: UnixMillis, to: UnixMillis, now: UnixMillis): void {
  if (from > now || to > now + DAY)
    throw new Fault("invalid", "a mark in the future", { tell: "from is not after now, and to at most a day ahead" });
}

function record(
  audit: Audit,
  action: string,
  mark: Mark,
  by: { readonly who: string; readonly interface: WebDoor; readonly address: string },
): void {
  audit.record({ ...by, action, camera: mark.camera, outcome: "allowed", why: wordsOf(mark) });
}

function wordsOf({ from, to, text }: Mark): string {
  return `${isoOf(from)} to ${isoOf(to)}: ${text}`;
}

function shown({ id, from, to, text, who, madeAt }: Mark): object {
  return { id, from: isoOf(from), to: isoOf(to), text, who, madeAt: isoOf(madeAt) };
}
