import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import { type Log, Repeats } from "../base/log.ts";
import { isoOf, MINUTE } from "../base/units.ts";
import type { Interface } from "./right.ts";

const LIMITS = {
  /** Longest value that goes into an entry; the rest is cut. */
  valueLength: 256,
  /** The same of `before` and `after`, whose whole is named by its hash where it was cut. */
  changeLength: 3000,
  /** The same entry again within this time is counted, not written: a client in a loop must not fill the disk. */
  repeatMs: 1 * MINUTE,
  /** Read back from the end at the start, to go on with the chain. More than one entry can have, all of it in Chinese. */
  tailBytes: 32 * 1024,
} as const;

/** Something that somebody did, or tried to do. */
export interface AuditEntry {
  /** The account, by name, or the name that was tried. */
  readonly who: string;
  readonly action: string;
  readonly camera?: string;
  /** `bridge`: nobody asked for it just then. */
  readonly interface: Interface | "bridge";
  /** `denied`: known caller without the right. `failed`: wrong credentials, or it did not work. */
  readonly outcome: "allowed" | "denied" | "failed";
  /** Which account, role, camera group, time profile or camera was changed. Such entries are never taken for a repetition. */
  readonly subject?: string;
  /** Of a change of rights: JSON of what was, and of what is. In the log cut at 3000 characters, with the SHA-256 of the whole. */
  readonly before?: string;
  readonly after?: string;
  readonly why?: string;
  readonly address?: string;
}

export interface Audit {
  /** Never throws: what cannot be written is logged, counted, and told in the next line that can. */
  record(entry: AuditEntry): void;
}

/** The hash that stands before the first line. */
const NOTHING = "0".repeat(64);

/**
 * The audit log: JSON lines in a file that is only ever appended to, each with a number (`seq`) and the SHA-256 of the line
 * before it (`prev`), so that a line that was changed, removed or moved shows. Cutting off the end does not show: keep a
 * copy of the file, or of its last line, elsewhere.
 */
class AuditFile implements Audit, Closable {
  readonly #fd: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #repeats: Repeats;
  #seq: number;
  #prev: string;
  #unwritten = 0;
  #closed = false;

  constructor(fd: number, clock: Clock, log: Log, seq: number, prev: string) {
    this.#fd = fd;
    this.#clock = clock;
    this.#log = log;
    this.#repeats = new Repeats(clock, LIMITS.repeatMs);
    this.#seq = seq;
    this.#prev = prev;
  }

  record(entry: AuditEntry): void {
    const clean = Object.fromEntries(
      Object.entries(entry).map(([name, value]) => [
        name,
        name === "before" || name === "after" ? changeOf(String(value)) : String(value).slice(0, LIMITS.valueLength),
      ]),
    );
    // Granted, taken away and granted again is three changes, the first and the last of which look alike.
    const repeated = entry.subject === undefined ? this.#repeats.admit(JSON.stringify(clean)) : 0;
    if (repeated === undefined) return;
    this.#log.info({ audit: clean }, "audit");
    const line = JSON.stringify({
      seq: this.#seq + 1,
      time: isoOf(this.#clock.now()),
      ...clean,
      ...(repeated > 0 ? { repeated } : {}),
      ...(this.#unwritten > 0 ? { unwritten: this.#unwritten } : {}),
      prev: this.#prev,
    });
    try {
      if (this.#closed) throw new Fault("wrong-state", "the audit log is closed");
      writeSync(this.#fd, `${line}\n`);
    } catch (err) {
      this.#unwritten += 1;
      this.#log.error({ err, unwritten: this.#unwritten }, "cannot write the audit log");
      return;
    }
    this.#seq += 1;
    this.#prev = hashOf(line);
    this.#unwritten = 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}

/**
 * Opens or makes the file (0600) and finds the end of its chain. Fault `unavailable` when it cannot be opened. Lines go to
 * the log as well.
 */
export function openAuditLog(options: {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
}): Audit & Closable {
  const { file, clock, log } = options;
  try {
    const fd = openSync(file, "a+", 0o600);
    const size = fstatSync(fd).size;
    const tail = Buffer.alloc(Math.min(size, LIMITS.tailBytes));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    const text = tail.toString("utf8");
    // A crash may have cut the last line: it stays, closed by a line end, and the chain goes on from it.
    if (text !== "" && !text.endsWith("\n")) writeSync(fd, "\n");
    const lines = text.split("\n").filter((line) => line !== "");
    const seq = lines.reduce((highest, line) => Math.max(highest, sequenceOf(line) ?? 0), 0);
    const last = lines.at(-1);
    return new AuditFile(fd, clock, log, seq, last === undefined ? NOTHING : hashOf(last));
  } catch (cause) {
    throw new Fault("unavailable", `cannot open the audit log ${file}`, { cause });
  }
}

/** What a check of the file found. */
export interface AuditCheck {
  readonly entries: number;
  /** The number of the first line (from 1) that does not follow from the one before it; undefined when all do. */
  readonly brokenAt: number | undefined;
}

/** Reads the whole file and follows the chain. Fault `unavailable` when it cannot be read. */
export async function checkAudit(file: string): Promise<AuditCheck> {
  let [entries, seq, prev] = [0, 0, NOTHING];
  try {
    const handle = await open(file, "r");
    try {
      for await (const line of handle.readLines()) {
        entries += 1;
        const number = sequenceOf(line);
        // A line that a crash cut has no number; the next one vouches for it.
        if (number !== undefined && (number !== seq + 1 || !line.endsWith(`"prev":"${prev}"}`)))
          return { entries, brokenAt: entries };
        seq = number ?? seq;
        prev = hashOf(line);
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new Fault("unavailable", `cannot read the audit log ${file}`, { cause });
  }
  return { entries, brokenAt: undefined };
}

/** Two changes that differ only in what is cut off still look different, and whoever has the whole can prove it. */
function changeOf(json: string): string {
  if (json.length <= LIMITS.changeLength) return json;
  return `${json.slice(0, LIMITS.changeLength)}… sha256:${hashOf(json)}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function sequenceOf(line: string): number | undefined {
  const number = /^\{"seq":(\d{1,15}),.*\}$/.exec(line)?.[1];
  return number === undefined ? undefined : Number(number);
}
