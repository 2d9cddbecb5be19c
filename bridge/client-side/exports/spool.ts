import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ifValid } from "../../../base/fault.ts";
import { moveWhole, readIfThere, writeWhole } from "../../../base/whole-file.ts";
import { diskFiles } from "../../../recorder/files.ts";
import { type Job, readJob } from "./job.ts";

/** Files of ours, and what a crash left of their making; others are left alone. */
const OURS = /^\.?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(?:json|json\.new|zip|zip\.part)$/;

/** The folder of the exports: for each a JSON file, and a ZIP file, which ends in `.part` while it is made. */
export class Spool {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder, for its owner alone, and removes what was not finished, or belongs to no job. */
  static async open(folder: string): Promise<{ readonly spool: Spool; readonly jobs: readonly Job[] }> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const spool = new Spool(folder);
    const { files } = await diskFiles.list(folder);
    const jobs: Job[] = [];
    for (const name of files.filter((one) => one.endsWith(".json"))) {
      const text = (await readIfThere(join(folder, name))) ?? "";
      const job = ifValid(() => readJob(text));
      if (job !== undefined) jobs.push(job);
    }
    const ready = new Set(jobs.filter(({ state }) => state === "ready").map(({ id }) => `${id}.zip`));
    const stale = files.filter((name) => OURS.test(name) && !name.endsWith(".json") && !ready.has(name));
    for (const name of stale) await rm(join(folder, name), { force: true });
    return { spool, jobs };
  }

  save(job: Job): Promise<void> {
    return writeWhole(join(this.folder, `${job.id}.json`), `${JSON.stringify(job, undefined, 2)}\n`);
  }

  /** Where the file of a job is made. */
  partOf({ id }: Job): string {
    return join(this.folder, `${id}.zip.part`);
  }

  fileOf({ id }: Job): string {
    return join(this.folder, `${id}.zip`);
  }

  /** The part is whole. */
  finish(job: Job): Promise<void> {
    return moveWhole(this.partOf(job), this.fileOf(job));
  }

  /** Removes what was made of it, and keeps what is known of it. */
  async discard(job: Job): Promise<void> {
    for (const file of [this.partOf(job), this.fileOf(job)]) await rm(file, { force: true });
  }

  async forget(job: Job): Promise<void> {
    await this.discard(job);
    await rm(join(this.folder, `${job.id}.json`), { force: true });
  }
}
