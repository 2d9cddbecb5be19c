import type { KeyObject } from "node:crypto";
import {
  close,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Clock, Timer } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { Closable } from "../../base/lifecycle.ts";
import type { Log } from "../../base/log.ts";
import { DAY, HOUR, isoOf, MINUTE, type UnixMillis } from "../../base/units.ts";
import type { Audit, AuditEntry } from "../audit.ts";
import { Chain, MOST_UNSIGNED, REMOVAL } from "./chain.ts";
import { CHECKPOINT, CheckpointSigner } from "./checkpoint.ts";
import { fullFile, fullFiles, fullFolder } from "./files.ts";
import { Floods } from "./floods.ts";
import { hashOf, writtenOf } from "./line.ts";
import { linesOfSync } from "./read.ts";
import { beginningOf, type Keep, removable } from "./retention.ts";

const LIMITS = {
  /** A file is full with so many bytes, or a day after its first entry. */
  fileBytes: 16 * 1024 * 1024,
  fileMs: 1 * DAY,
  /** How long entries may be without a signature behind them. */
  checkpointMs: 1 * MINUTE,
  /** What a power cut may cost; changes of rights are synced at once. */
  syncMs: 50,
  /** How often it is looked whether old files are to be removed. */
  retentionMs: 1 * HOUR,
  /** After a file could not be put aside. */
  rollAgainMs: 1 * MINUTE,
} as const;

export interface AuditLogOptions {
  /** The file that is written; full ones go into the folder `audit` beside it. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Signs checkpoints; without one there are none. */
  readonly privateKey?: KeyObject | undefined;
  /** Everything is kept if absent. */
  readonly keep?: Keep | undefined;
  /** For tests: how full a file gets. */
  readonly fileBytes?: number;
}

type Fields = Readonly<Record<string, string | number>>;

/**
 * The audit log: JSON lines in files that are only ever appended to, each with a number (`seq`) and the SHA-256 of the line before
 * it (`prev`), over all files. Once a minute, every thousand entries, and at the end of each file a line signs all that stands before
 * it. Cutting off the end does not show by itself: keep a checkpoint elsewhere.
 */
export class AuditLog implements Audit, Closable {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #signer: CheckpointSigner | undefined;
  readonly #keep: Keep | undefined;
  readonly #fileBytes: number;
  readonly #floods: Floods;
  readonly #retention: Timer | undefined;
  #fd: number;
  #bytes: number;
  #seq: number;
  #prev: string;
  #unsigned: number;
  /** Of the file that is written: its first entry. */
  #first: { readonly seq: number; readonly time: number } | undefined;
  #unwritten = 0;
  #closed = false;
  #rollAfter = 0;
  #checkpointing: Timer | undefined;
  #syncing: Timer | undefined;
  #syncRuns = false;
  /** Something was written that the sync which runs may have missed. */
  #syncWanted = false;
  /** Files that the sync which runs may still be at: closed before, their descriptors could be those of other files by then. */
  readonly #left: number[] = [];

  /** Opens or makes the file (0600) and finds the end of its chain. Fault `unavailable` when it cannot be opened. Lines go to the log as well. */
  static open(options: AuditLogOptions): AuditLog {
    try {
      return new AuditLog(options);
    } catch (cause) {
      throw new Fault("unavailable", `cannot open the audit log ${options.file}`, { cause });
    }
  }

  private constructor(o: AuditLogOptions) {
    this.#file = o.file;
    this.#clock = o.clock;
    this.#log = o.log;
    this.#signer = o.privateKey === undefined ? undefined : new CheckpointSigner(o.privateKey);
    this.#keep = o.keep;
    this.#fileBytes = o.fileBytes ?? LIMITS.fileBytes;
    this.#fd = openSync(o.file, "a+", 0o600);
    this.#bytes = fstatSync(this.#fd).size;
    const chain = new Chain();
    const full = fullFiles(o.file).at(-1)?.path;
    const begun = beginningOf(o.file);
    // Where the file has no first entry, or a crash has cut it, the chain goes on from the file before.
    if (begun === undefined && full !== undefined) this.#follow(chain, full);
    const next = { seq: chain.seq + 1, time: o.clock.now() };
    if (this.#bytes > 0 && this.#follow(chain, o.file)) this.#bytes += writeSync(this.#fd, "\n");
    this.#seq = chain.seq;
    this.#prev = chain.prev;
    this.#unsigned = chain.unsigned;
    // A file without an entry is not put aside: the next one would have the same name.
    this.#first = begun ?? (chain.seq < next.seq ? undefined : next);
    this.#floods = new Floods(o.clock, (summary) => this.#write(writtenOf(summary), false));
    // What was not signed before the process ended: by whom it was written since, this signature does not say.
    this.#checkpoint({ late: this.#unsigned });
    if (this.#keep !== undefined) {
      this.#removeOld();
      this.#retention = o.clock.every(LIMITS.retentionMs, () => this.#removeOld());
    }
  }

  get failing(): boolean {
    return this.#unwritten > 0;
  }

  /** The number of the newest entry. */
  get seq(): number {
    return this.#seq;
  }

  /** The newest line, and its hash. */
  get head(): { readonly seq: number; readonly hash: string } {
    return { seq: this.#seq, hash: this.#prev };
  }

  record(entry: AuditEntry): void {
    if (this.#floods.admit(entry)) this.#write(writtenOf(entry), entry.subject !== undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#floods.close();
    this.#checkpoint();
    this.#closed = true;
    this.#retention?.cancel();
    this.#checkpointing?.cancel();
    this.#syncing?.cancel();
    fdatasyncSync(this.#fd);
    this.#leave(this.#fd);
  }

  /** Whether the last line has no end: a crash has cut it. It stays, and the chain goes on from it. */
  #follow(chain: Chain, path: string): boolean {
    let ended = true;
    for (const { line, isEnded } of linesOfSync(path)) {
      const wrong = chain.push(line);
      if (wrong !== undefined)
        this.#log.error({ file: path, line: chain.lines }, `the audit log was changed: ${wrong}`);
      ended = isEnded;
    }
    return !ended;
  }

  #write(fields: Fields, atOnce: boolean): void {
    this.#log.info({ audit: fields }, "audit");
    this.#rollIfFull();
    if (!this.#append(fields)) return;
    if (atOnce) this.#sync();
    else this.#syncing ??= this.#clock.after(LIMITS.syncMs, () => this.#sync());
    if (this.#unsigned >= MOST_UNSIGNED) this.#checkpoint();
    else if (this.#signer !== undefined)
      this.#checkpointing ??= this.#clock.after(LIMITS.checkpointMs, () => this.#checkpoint());
  }

  /** False where it could not be written. */
  #append(fields: Fields, now: UnixMillis = this.#clock.now()): boolean {
    const line = JSON.stringify({
      seq: this.#seq + 1,
      time: isoOf(now),
      ...fields,
      ...(this.#unwritten > 0 ? { unwritten: this.#unwritten } : {}),
      prev: this.#prev,
    });
    const bytes = Buffer.from(`${line}\n`);
    try {
      if (this.#closed) throw new Fault("wrong-state", "the audit log is closed");
      for (let done = 0; done < bytes.length; done += writeSync(this.#fd, bytes, done));
    } catch (err) {
      this.#unwritten += 1;
      this.#log.error({ err, unwritten: this.#unwritten }, "cannot write the audit log");
      // A part of a line would stand in the way of the next one.
      if (!this.#closed) ifPossible(() => ftruncateSync(this.#fd, this.#bytes));
      return false;
    }
    this.#first ??= { seq: this.#seq + 1, time: now };
    this.#seq += 1;
    this.#bytes += bytes.length;
    this.#prev = hashOf(line);
    this.#unsigned += 1;
    this.#unwritten = 0;
    return true;
  }

  /** Signs all that stands in the log, where something does not stand before a checkpoint yet. */
  #checkpoint(more: { readonly late?: number } = {}): void {
    this.#checkpointing?.cancel();
    this.#checkpointing = undefined;
    if (this.#signer === undefined || this.#unsigned === 0) return;
    const now = this.#clock.now();
    const seal = this.#signer.seal({ seq: this.#seq + 1, time: isoOf(now), prev: this.#prev });
    if (this.#append({ action: CHECKPOINT, ...more, ...seal }, now)) this.#unsigned = 0;
  }

  /** One at a time: what is written while the disk is busy with one is synced together by the next, which begins at once behind it. */
  #sync(): void {
    this.#syncing?.cancel();
    this.#syncing = undefined;
    this.#syncWanted = this.#syncRuns;
    if (this.#syncRuns) return;
    this.#syncRuns = true;
    fdatasync(this.#fd, (err) => {
      this.#syncRuns = false;
      if (err !== null) this.#log.error({ err }, "cannot sync the audit log");
      for (const fd of this.#left.splice(0)) this.#leave(fd);
      if (this.#syncWanted && !this.#closed) this.#sync();
    });
  }

  /** Closes a file that is synced already. */
  #leave(fd: number): void {
    if (this.#syncRuns) this.#left.push(fd);
    else
      close(fd, (err) => {
        if (err) this.#log.error({ err }, "cannot close a file of the audit log");
      });
  }

  #rollIfFull(): void {
    const now = this.#clock.now();
    const first = this.#first;
    if (first === undefined || this.#closed || now < this.#rollAfter) return;
    if (this.#bytes < this.#fileBytes && now - first.time < LIMITS.fileMs) return;
    try {
      this.#checkpoint();
      fdatasyncSync(this.#fd);
      mkdirSync(fullFolder(this.#file), { recursive: true, mode: 0o700 });
      const full = this.#fd;
      this.#fd = this.#beginAnother(fullFile(this.#file, first.seq));
      this.#leave(full);
      this.#bytes = 0;
      this.#first = undefined;
      for (const folder of [dirname(this.#file), fullFolder(this.#file)]) syncFolder(folder);
      this.#removeOld();
    } catch (err) {
      this.#rollAfter = now + LIMITS.rollAgainMs;
      this.#log.error({ err }, "cannot put a full file of the audit log aside");
    }
  }

  /** Puts the file aside, and opens another one in its place; where that fails, it stays where it is, so that it can be tried again. */
  #beginAnother(aside: string): number {
    renameSync(this.#file, aside);
    try {
      return openSync(this.#file, "a+", 0o600);
    } catch (error) {
      renameSync(aside, this.#file);
      throw error;
    }
  }

  /** Says what is removed, signs that, and removes it: in this order, so that the rest can always be verified. */
  #removeOld(): void {
    if (this.#keep === undefined) return;
    try {
      const found = removable(this.#file, this.#keep, this.#clock.now(), this.#bytes);
      if (found === undefined || !this.#append({ action: REMOVAL, ...found.statement })) return;
      this.#checkpoint();
      fdatasyncSync(this.#fd);
      for (const { path } of found.files) rmSync(path);
      this.#log.info(found.statement, "old entries of the audit log are removed");
    } catch (err) {
      this.#log.error({ err }, "cannot remove old files of the audit log");
    }
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function ifPossible(act: () => void): void {
  try {
    act();
  } catch {
    // It was said already that the disk takes nothing.
  }
}
