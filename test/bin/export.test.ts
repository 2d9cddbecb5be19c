import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { Manifest } from "../../recorder/export/manifest.ts";
import { recordFor } from "../support/exported.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { type Ended, viaduct, writeConfig } from "../support/viaduct.ts";

const TIMES = ["--from", "2026-11-24T13:05:03Z", "--to", "2026-11-24T14:05:12+01:00"];

describe("viaduct export", () => {
  // Each starts a process, which takes its time on a busy machine.
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";

  before(async () => {
    ({ folder, remove } = await scratchFolder());
    config = await writeConfig(folder);
    await mkdir(join(folder, "data/recordings"), { recursive: true });
    await recordFor(join(folder, "data/recordings"), { gate: { seconds: 20 }, "gate/sub": { seconds: 10 } }, {});
  });
  after(() => remove());

  const run = (...more: readonly string[]): Promise<Ended> =>
    viaduct(["export", "--config", config, "--camera", "gate", ...more]);

  it("makes an encrypted ZIP file, shows its password once, and `viaduct verify` opens it with that", async () => {
    const out = join(folder, "gate.zip");
    const made = await run(...TIMES, "--out", out, "--reason", "case 117");
    expect(made.code, made.err).to.equal(0);
    expect(made.out).to.match(
      /^gate: begins as asked for, ends as asked for\nmedia\/gate\/2026-11-24T13-05-03\.000Z\.mp4 /,
    );
    const password = /^password: (?<word>\S{20})$/m.exec(made.out)?.groups?.["word"] ?? "";
    expect((await stat(out)).mode & 0o777).to.equal(0o600);
    const certificate = join(folder, "data/export-cert.pem");
    const checked = await viaduct(["verify", out, "--certificate", certificate, "--password-fd", "0"], {
      input: `${password}\n`,
    });
    // Nobody had signed these recordings.
    expect(checked.out).to.match(
      /^manifest\.json: ok: signed\nSHA256SUMS: ok: signed\n2026\S+ 2026\S+ gate\/main media\S+: unsigned\n/,
    );
    expect(checked.code).to.equal(3);
    const wrong = await viaduct(["verify", out, "--password-fd", "0"], { input: "another password\n" });
    expect({ code: wrong.code, err: wrong.err }).to.deep.equal({
      code: 1,
      err: "viaduct: the password is another one\n",
    });
    const audit = await readFile(join(folder, "data/audit.log"), "utf8");
    expect(audit).to.match(/"action":"export","camera":"gate","interface":"cli","outcome":"allowed"/);
    expect(audit).to.match(/"action":"export-made".*"why":"1 films"/);
    expect(audit).to.not.include(password);
  });

  it("takes a password from a descriptor, and tells programs what it made", async () => {
    const out = join(folder, "told.zip");
    const { code, out: told } = await viaduct(
      ["export", "--config", config, "--camera", "gate", ...TIMES, "--out", out, "--json", "--password-fd", "0"],
      { input: "four random words together\n" },
    );
    expect(code).to.equal(0);
    const { manifest, ...rest } = JSON.parse(told) as { manifest: Manifest };
    expect(rest).to.deep.equal({ out });
    expect(manifest.films.map(({ from, to }) => [from, to])).to.deep.equal([
      ["2026-11-24T13:05:03.000Z", "2026-11-24T13:05:12.000Z"],
    ]);
  });

  it("exports the stream that is named", async () => {
    const made = await run(...TIMES, "--stream", "sub", "--out", join(folder, "sub"), "--no-password", "--json");
    expect(made.code, made.err).to.equal(0);
    const { cameras, films } = (JSON.parse(made.out) as { manifest: Manifest }).manifest;
    expect(films.map(({ stream, to }) => [stream, to])).to.deep.equal([["sub", "2026-11-24T13:05:10.000Z"]]);
    expect(cameras[0]?.gaps).to.have.length(1);
    expect(await readFile(join(folder, "sub/README.txt"), "utf8")).to.include("(gate, stream sub)");
    const none = await run(...TIMES, "--stream", "third", "--out", join(folder, "third"), "--no-password");
    expect([none.code, none.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 1 && err.includes("nothing is recorded of the stream third of gate"),
    );
  });

  it("writes a folder only where it may be in clear, and says of a film alone what to verify", async () => {
    const out = join(folder, "case-117");
    const { code } = await run(...TIMES, "--out", out, "--no-password");
    expect(code).to.equal(0);
    expect(await readdir(out)).to.have.members([
      "README.txt",
      "SHA256SUMS",
      "SHA256SUMS.p7s",
      "certificates",
      "manifest.json",
      "manifest.json.p7s",
      "media",
      "viewer.html",
    ]);
    const alone = await viaduct(["verify", join(out, "media/gate")]);
    expect(alone.code).to.equal(2);
    expect(alone.err).to.match(/is a film of an export: give the folder or the ZIP file of the export, by itself\n$/);
    await writeFile(join(out, "x\u001b[2J\nall is good"), "");
    const strange = await viaduct(["verify", out]);
    expect(strange.code).to.equal(1);
    expect(strange.out).to.match(/^x.\[2J.all is good: inserted: it is not in the list/m);
    await rm(out, { recursive: true });
  });

  const WRONG: readonly (readonly [args: readonly string[], code: number, words: string])[] = [
    [["--from", "13:05", "--to", "13:06", "--out", "x.zip"], 2, "--from 13:05: write it with its zone"],
    [["--from", "2026-11-24T13:05:00", "--to", "2026-11-24T13:06:00", "--out", "x.zip"], 2, "write it with its zone"],
    [
      ["--from", "2026-11-24T13:06:00Z", "--to", "2026-11-24T13:05:00Z", "--out", "x.zip"],
      2,
      "--from must be before --to",
    ],
    [[...TIMES, "--out", "x"], 2, "a folder is not encrypted"],
    [[...TIMES, "--out", "x.zip", "--without", "video"], 2, "--without video: it is audio or metadata"],
    [[...TIMES, "--camera", "shed", "--out", "x.zip"], 1, "nothing is recorded of shed"],
    [
      ["--from", "2026-11-24T13:05:00Z", "--to", "2026-11-24T13:06:00Z", "--out", "/nowhere/x.zip"],
      1,
      "cannot write into /nowhere",
    ],
    [
      ["--from", "2025-01-01T00:00Z", "--to", "2025-01-02T00:00Z", "--out", "x.zip"],
      1,
      "there is nothing to export: nothing is recorded",
    ],
  ];
  for (const [args, code, words] of WRONG)
    it(`says what is wrong: ${words}`, async () => {
      const there = args.map((one) => (one === "x.zip" || one === "x" ? join(folder, one) : one));
      const ended = await run(...there);
      expect(ended.err).to.include(words);
      expect(ended.code).to.equal(code);
      expect(await readdir(folder)).to.not.include.members(["x.zip"]);
    });
});
