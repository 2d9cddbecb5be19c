import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import * as fc from "fast-check";
import { recordedFrames, recordingFindings } from "../support/kept-recording.ts";
import { LoopDisk } from "../support/loop-disk.ts";
import { scratchFolder } from "../support/recorder-samples.ts";

const CUTS = Number(process.env["VIADUCT_POWER_CUTS"] ?? 4);
const SEED = Number(process.env["VIADUCT_CRASH_SEED"] ?? 20_261_126);
const DISK_MEGABYTES = 64;
/** Every fragment is made to survive a power cut before it is acknowledged. */
const FLUSH_MS = "0";

for (const encryption of ["none", "full"] as const)
  describe(`a recorder whose power is cut, with encryption "${encryption}"`, () => {
    let folder: string;
    let remove: () => Promise<void>;
    const disks: LoopDisk[] = [];
    let recorder: ChildProcess | undefined;

    beforeEach(async () => {
      ({ folder, remove } = await scratchFolder());
    });
    afterEach(async () => {
      if (recorder?.exitCode === null && recorder.signalCode === null) {
        recorder.kill("SIGKILL");
        await once(recorder, "exit");
      }
      for (const disk of disks.splice(0)) disk.remove();
      await remove();
    });

    /** Of the recorder, behind which acknowledgement the power goes. */
    const instants = fc.sample(fc.integer({ min: 1, max: 60 }), { seed: SEED, numRuns: CUTS });
    for (const lines of instants)
      it(`loses nothing that was flushed, behind acknowledgement ${lines}, and needs no repair`, async function () {
        const disk = LoopDisk.make(this, `${folder}/disk`, DISK_MEGABYTES);
        disks.push(disk);
        recorder = record(`${folder}/disk`, encryption);
        const acknowledged = await stopped(recorder, lines);
        disks.push(disk.afterPowerCut(`${folder}/later`));
        const found = await recordedFrames(`${folder}/later`, 0);
        expect(found).to.deep.equal(found.map((_, index) => index));
        expect(found.length - 1, "of the newest frame").to.be.at.least(acknowledged);
        expect(await recordingFindings(`${folder}/later`)).to.deep.equal([]);
      });
  });

function record(folder: string, encryption: string): ChildProcess {
  const program = join(import.meta.dirname, "../support/record-until-killed.ts");
  return spawn(process.execPath, [program, folder, "0", encryption, FLUSH_MS], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Stops it in the midst of its work, behind so many acknowledgements, and tells the last frame that it has acknowledged. */
async function stopped(recorder: ChildProcess, lines: number): Promise<number> {
  let count = 0;
  let last = -1;
  const output = createInterface({ input: recorder.stdout as NodeJS.ReadableStream });
  for await (const line of output) {
    last = Number(line);
    count += 1;
    if (count > lines) break;
  }
  recorder.kill("SIGSTOP");
  while (stateOf(recorder.pid as number) !== "T") await setImmediate();
  return last;
}

/** `T` once nothing of it runs any more (proc(5)). */
function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1];
}
