import { randomUUID } from "node:crypto";
import { type AccessRequest, decide, demand } from "../../../auth/access.ts";
import type { Lease } from "../../../auth/leases.ts";
import type { Principal } from "../../../auth/principal.ts";
import type { Interface } from "../../../auth/right.ts";
import type { Timer } from "../../../base/clock.ts";
import { Fault } from "../../../base/fault.ts";
import type { Closable } from "../../../base/lifecycle.ts";
import { makeSecret, type Secret } from "../../../base/secret.ts";
import { DAY, isoOf, MINUTE, type UnixMillis, unixMillis } from "../../../base/units.ts";
import { bytesOf } from "../../../recorder/export/cut.ts";
import { LEAVABLE, type LeftOut } from "../../../recorder/export/film.ts";
import { assertRoom } from "../../../recorder/export/room.ts";
import { PASSWORD_LETTERS } from "../../../recorder/export/zip-writer.ts";
import { MAIN_STREAM } from "../../camera.ts";
import { ExportQueue } from "./export-queue.ts";
import type { ExportsParts } from "./exports-parts.ts";
import { entryOf, isOver, type Job, requestsOf } from "./job.ts";
import { JobList } from "./job-list.ts";
import { runJob } from "./run-job.ts";
import { Spool } from "./spool.ts";

const LIMITS = {
  cameras: 64,
  lengthMs: 31 * DAY,
  sweepMs: MINUTE,
};

/** What somebody asks for. */
export interface Wanted {
  readonly cameras: readonly string[];
  /** Of each of them. */
  readonly stream: string;
  readonly from: UnixMillis;
  readonly to: UnixMillis;
  readonly reason: string;
  readonly without: readonly LeftOut[];
  readonly isProtected: boolean;
}

/** Who asks for what through which door, for rights and the audit log. */
export interface Asking {
  readonly who: Principal;
  readonly door: Interface;
  readonly address: string;
}

/** What the owner of an export sees of it. */
export type ExportView = Pick<
  Job,
  "id" | "who" | "askedAt" | "from" | "to" | "stream" | "reason" | "isProtected" | "state" | "expectedBytes"
> & {
  readonly [K in "problem" | "bytes" | "films" | "gaps" | "signatures" | "endedAt" | "goneAt"]: Job[K] | undefined;
} & {
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  /** Of `expectedBytes`, while it runs. */
  readonly doneBytes: number;
};

/** A file that may be sent, as long as its lease lasts. */
export interface Fetched {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  readonly lease: Lease;
}

/**
 * Exports in the background: asked for, made one after the other, kept for a while, fetched by who asked. The right to export each camera is
 * decided when it is asked, while it is made, and when it is fetched.
 */
export class Exports implements Closable {
  readonly #o: ExportsParts;
  readonly #spool: Spool;
  readonly #jobs: JobList;
  readonly #queue: ExportQueue;
  readonly #sweep: Timer;

  private constructor(o: ExportsParts, spool: Spool, jobs: readonly Job[]) {
    this.#o = o;
    this.#spool = spool;
    this.#jobs = new JobList({ ...o, spool }, jobs);
    this.#queue = new ExportQueue({
      ...o,
      jobs: this.#jobs,
      make: (job, { lease, signal, progress }) =>
        runJob(job, o, {
          spool,
          signal,
          progress,
          password: job.password === undefined ? undefined : o.sealer.open(job.password, ownerOf(job.id)),
          // Footage does not grow too old by waiting for its turn.
          oldest: () => job.askedAt - lease.maxAgeMs,
        }),
    });
    this.#sweep = o.clock.every(LIMITS.sweepMs, () => void this.#removeOld());
  }

  /** Goes on with what the last process left. Fault `unavailable` where the folder cannot be used. */
  static async open(o: ExportsParts): Promise<Exports> {
    try {
      const { spool, jobs } = await Spool.open(o.folder);
      return new Exports(o, spool, jobs);
    } catch (cause) {
      const tell = `cannot use ${o.folder} for exports: ${(cause as Error).message}`;
      throw new Fault("unavailable", tell, { tell, cause });
    }
  }

  /** The exports of an account, the newest first. */
  list({ accountId }: Principal): readonly ExportView[] {
    const own = this.#jobs.all().filter(({ account }) => account === accountId);
    return own.toReversed().map((job) => this.#viewOf(job));
  }

  /**
   * Begins an export. The password is told here and never again; undefined where none is wanted. Faults: `denied` or `not-found` for a
   * camera, `invalid` for a range, `busy` where too much is asked for, `unavailable` where the disk has no room.
   */
  async ask(asking: Asking, wanted: Wanted): Promise<{ readonly id: string; readonly password: Secret | undefined }> {
    const { who, door, address } = asking;
    const { clock, audit, sealer, place, approvals } = this.#o;
    const { from, to, stream, reason, isProtected } = wanted;
    const askedAt = Math.floor(clock.now());
    assertRange(wanted, askedAt);
    this.#jobs.assertRoomFor(who.accountId);
    const cameras = [...new Set(wanted.cameras)].map((id) => {
      const { info } = this.#o.watch.open(who, id, "export", door, address);
      if (!info.streams.some((one) => one.name === stream)) throw wrong(`${info.name} has no stream ${stream}`);
      return { id, name: info.name, leftOut: leftOut(asking, id, wanted.without) };
    });
    let expectedBytes = 0;
    for (const { id } of cameras) {
      const range = { camera: id, stream, fromUs: from * 1000, toUs: to * 1000 };
      expectedBytes += await bytesOf(place.catalog, range);
    }
    await this.#assertFits(expectedBytes);
    const what = cameras.map(({ id }) => (stream === MAIN_STREAM ? id : `${id}/${stream}`)).join(", ");
    const why = `${what} from ${isoOf(from)} to ${isoOf(to)}: ${reason || "no reason"}`;
    await approvals.pass({ principal: who, who: who.name, interface: door, address }, "export", () => ({
      params: { ...wanted, cameras: cameras.map(({ id, leftOut: without }) => ({ id, without })) },
      words: `${why}${isProtected ? "" : ", not encrypted"}`,
    }));
    // Others may have asked meanwhile.
    this.#jobs.assertRoomFor(who.accountId);
    const id = randomUUID();
    const secret = isProtected ? makeSecret(PASSWORD_LETTERS) : undefined;
    const password = secret === undefined ? {} : { password: sealer.seal(secret, ownerOf(id)) };
    const { accountId: account, name } = who;
    const by = { id, account, who: name, interface: door, address, askedAt };
    const job: Job = {
      ...by,
      ...password,
      from,
      to,
      cameras,
      stream,
      reason,
      isProtected,
      state: "waiting",
      expectedBytes,
    };
    await this.#jobs.add(job);
    audit.record({ ...entryOf(job), action: "export-asked", outcome: "allowed", why });
    this.#queue.wake();
    return { id, password: secret };
  }

  /** Ends one that waits or runs; removes one that is over, with its file. `not-found` where it is nobody's, or somebody else's. */
  async cancel({ who, door, address }: Asking, id: string): Promise<void> {
    const job = this.#jobs.own(who.accountId, id);
    const entry = { ...entryOf(job), interface: door, address, outcome: "allowed" } as const;
    if (isOver(job)) {
      this.#o.audit.record({ ...entry, action: "export-removed", why: "by who had asked" });
      await this.#jobs.forget(job);
    } else {
      this.#o.audit.record({ ...entry, action: "export-cancelled" });
      await this.#queue.cancel(job);
    }
  }

  /** The file of an export that is ready, for who may still export all of its cameras, and footage of that age. The lease is to be closed. */
  fetch({ who, door, address }: Asking, id: string): Fetched {
    const job = this.#jobs.own(who.accountId, id);
    if (job.state !== "ready" || job.bytes === undefined)
      throw new Fault("wrong-state", `${id} is ${job.state}`, { tell: "this export is not ready" });
    const { audit, leases } = this.#o;
    const requests = job.cameras.flatMap((camera) => requestsOf(camera, door, address));
    const reachMs = Math.min(...requests.map((request) => demand(audit, who, request).maxAgeMs));
    const entry = { ...entryOf(job), interface: door, address, action: "export-fetched" } as const;
    if (job.askedAt - (job.oldest ?? job.from) > reachMs) {
      audit.record({ ...entry, outcome: "denied", why: "it has footage in it that is too old" });
      throw new Fault("denied", `${who.name}: ${id} has footage in it that is too old`, { tell: "not allowed" });
    }
    audit.record({ ...entry, outcome: "allowed" });
    const name = `export-${isoOf(unixMillis(job.from)).slice(0, "2026-11-24T13:05".length).replaceAll(":", "-")}.zip`;
    return { path: this.#spool.fileOf(job), name, bytes: job.bytes, lease: leases.open(who, requests) };
  }

  /** What is being made is broken off, and begins anew with the next start. */
  async close(): Promise<void> {
    this.#sweep.cancel();
    await this.#queue.close();
  }

  #viewOf(job: Job): ExportView {
    return {
      id: job.id,
      who: job.who,
      askedAt: job.askedAt,
      from: job.from,
      to: job.to,
      cameras: job.cameras.map(({ id, name }) => ({ id, name })),
      stream: job.stream,
      reason: job.reason,
      isProtected: job.isProtected,
      state: job.state,
      problem: job.problem,
      expectedBytes: job.expectedBytes,
      doneBytes: this.#queue.doneBytes(job.id),
      bytes: job.bytes,
      films: job.films,
      gaps: job.gaps,
      signatures: job.signatures,
      endedAt: job.endedAt,
      goneAt: job.goneAt,
    };
  }

  async #assertFits(expectedBytes: number): Promise<void> {
    const { maxBytes, keepFreeBytes, folder, place } = this.#o;
    if (expectedBytes > maxBytes) {
      const [asked, most] = [expectedBytes, maxBytes].map((bytes) => (bytes / 1e9).toFixed(1));
      const tell = `this would be ${asked} GB, and one export may have ${most} GB: ask for a shorter time or fewer cameras`;
      throw new Fault("invalid", tell, { tell });
    }
    await assertRoom(place.files, folder, expectedBytes + this.#jobs.pendingBytes, keepFreeBytes);
  }

  async #removeOld(): Promise<void> {
    for (const job of this.#jobs.all()) {
      if (job.goneAt === undefined || job.goneAt > this.#o.clock.now()) continue;
      const entry = {
        ...entryOf(job),
        action: "export-removed",
        outcome: "allowed",
        why: "its time was over",
      } as const;
      if (job.state === "ready") this.#o.audit.record(entry);
      await this.#jobs.forget(job);
    }
  }
}

/** Sound and metadata go with the picture for who may have them, and wants them. */
function leftOut({ who, door, address }: Asking, camera: string, without: readonly LeftOut[]): LeftOut[] {
  return LEAVABLE.filter((right) => {
    const request: AccessRequest = { right, camera, interface: door, address };
    return without.includes(right) || !decide(who, request).allowed;
  });
}

function assertRange({ cameras, from, to }: Wanted, now: number): void {
  if (cameras.length === 0) throw wrong("choose a camera");
  if (cameras.length > LIMITS.cameras) throw wrong(`choose ${LIMITS.cameras} cameras at most`);
  if (from >= to) throw wrong("the beginning must be before the end");
  if (to > now) throw wrong("the end must not be in the future");
  if (to - from > LIMITS.lengthMs) throw wrong(`ask for ${LIMITS.lengthMs / DAY} days at most`);
}

function wrong(tell: string): Fault {
  return new Fault("invalid", tell, { tell });
}

function ownerOf(id: string): string {
  return `export ${id}`;
}
