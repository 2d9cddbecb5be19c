import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { MINUTE } from "../../base/units.ts";
import { PART } from "../../recorder/naming.ts";
import { recordedFiles, recordedFrames, recordingFindings } from "../support/kept-recording.ts";
import { decryptTo, openRing } from "../support/keys.ts";
import { GOP, numbersIn } from "../support/numbered-frames.ts";
import { type Peer, peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";

const RUNS = Number(process.env["VIADUCT_CRASH_RUNS"] ?? 30);
const SEED = Number(process.env["VIADUCT_CRASH_SEED"] ?? 20_261_124);

/** Players that decode at the same time. */
const PARALLEL = 2;

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, one) => from + one);

for (const encryption of ["none", "full"] as const)
  describe(`a recorder that is killed ${RUNS} times in a row, with encryption "${encryption}"`, () => {
    let folder = "";
    let remove: () => Promise<void>;
    /** The numbers of all frames that were found so far, in order. */
    const kept: number[] = [];

    before(async () => {
      ({ folder, remove } = await scratchFolder());
    });
    after(() => remove());

    it("has, after each restart and without repair, all that it had acknowledged, and a catalog that agrees with the files", async function () {
      // Each is a start of a process.
      this.timeout(RUNS * MINUTE);
      // How many acknowledgements each one lives for; with none, it is killed while it starts.
      const lives = fc.sample(fc.integer({ min: -2, max: 12 }), { seed: SEED, numRuns: RUNS });
      let first = 0;
      for (const [run, lines] of lives.entries()) {
        const acknowledged = await recordUntilKilled(folder, first, Math.max(0, lines), encryption);
        const found = await recordedFrames(folder, first);
        const what = `seed ${SEED}, run ${run}, killed behind ${acknowledged}`;
        expect(found, what).to.deep.equal(range(first, first + found.length));
        expect(first + found.length - 1, what).to.be.at.least(acknowledged);
        expect(await recordingFindings(folder), what).to.deep.equal([]);
        kept.push(...found);
        // The next process goes on a second later, at a key frame.
        first = (Math.ceil((first + found.length) / GOP) + 1) * GOP;
      }
      expect(kept).not.to.deep.equal([]);
      expect(await recordedFrames(folder, 0)).to.deep.equal(kept);
    });

    it("leaves files that another program decodes, each frame once and in order", async function () {
      const ffmpeg = peer(this, "ffmpeg");
      const files = await recordedFiles(folder);
      expect(files.filter((file) => file.endsWith(PART))).to.deep.equal([]);
      const decoded: (readonly number[])[] = [];
      const { ring, close } = await openRing(folder);
      if (encryption !== "none") for (const file of files) await decryptTo(file, `${file}.plain.mp4`, ring);
      await close();
      const queue = files.entries();
      const lane = async (): Promise<void> => {
        for (const [place, file] of queue)
          decoded[place] = await decode(ffmpeg, encryption === "none" ? file : `${file}.plain.mp4`);
      };
      await Promise.all(Array.from({ length: PARALLEL }, lane));
      expect(decoded.flat()).to.deep.equal(kept);
    });
  });

/** Lets a process record until it has acknowledged so much, kills it in the midst of its work, and returns the last frame that it acknowledged. */
function recordUntilKilled(folder: string, first: number, lines: number, encryption: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, "../support/record-until-killed.ts");
    const child = spawn(process.execPath, [program, folder, String(first), encryption], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let problems = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("latin1");
      if (output.split("\n").length > lines + 1) child.kill("SIGKILL");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      problems += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (_, signal) => {
      // Of the last line only what is whole.
      if (signal === "SIGKILL") resolve(Number(output.slice(0, output.lastIndexOf("\n")).split("\n").at(-1)));
      else reject(new Error(problems));
    });
  });
}

async function decode(ffmpeg: Peer, file: string): Promise<readonly number[]> {
  const { code, stdout, stderr } = await ffmpeg.run([
    "-v",
    "error",
    "-xerror",
    "-i",
    file,
    "-fps_mode",
    "passthrough",
    "-f",
    "rawvideo",
    "-pix_fmt",
    "gray",
    "-",
  ]);
  expect(code, `${file}: ${stderr}`).to.equal(0);
  expect(stderr, file).to.equal("");
  return numbersIn(stdout);
}
