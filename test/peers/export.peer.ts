import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { type Browser, chromium, type Page } from "playwright-core";
import { Secret } from "../../base/secret.ts";
import type { Manifest } from "../../recorder/export/manifest.ts";
import { ZipFile } from "../../recorder/export/zip-reader.ts";
import { diskFiles } from "../../recorder/files.ts";
import { certificateOf } from "../../recorder/signature.ts";
import { exportTo, makeSigners, recordFor, type Signers } from "../support/exported.ts";
import { NumberedFrames, numbersIn } from "../support/numbered-frames.ts";
import { type Peer, peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";

/** Where to leave pictures of the viewer for a person to look at; none are taken without it. */
const SCREENSHOTS = process.env["VIADUCT_SCREENSHOTS"];
/** For what hangs: on a busy machine, Chromium begins slowly, and plays so. */
const [LAUNCH_MS, STEP_MS] = [180_000, 120_000];
const PASSWORD = new Secret("correct horse battery");

/** What is asked of the page's `<video>`. */
interface VideoElement {
  readonly currentTime: number;
  readonly videoWidth: number;
  muted: boolean;
}

describe("whoever gets an export, with public tools alone", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signers: Signers;
  let manifest: Manifest;
  let openssl: Peer;
  const unpacked = (): string => `${folder}/unpacked`;

  before(async function () {
    openssl = peer(this, "openssl");
    const zip = peer(this, "7zz");
    signers = await makeSigners();
    ({ folder, remove } = await scratchFolder());
    const frames = new NumberedFrames();
    const gate = {
      seconds: 40,
      without: [22, 33],
      sound: false,
      frame: (index: number) => frames.group(index),
    } as const;
    await recordFor(folder, { gate }, { signer: signers.recorder });
    const asked = { fromSeconds: 4, toSeconds: 36, cameras: [{ id: "gate", name: "Gate <1>" }] };
    manifest = await exportTo(`${folder}/export.zip`, folder, asked, { ...signers, password: PASSWORD });
    const args = ["x", `-p${PASSWORD.reveal()}`, `-o${unpacked()}`, `${folder}/export.zip`];
    const { code, stdout } = await zip.run(args);
    expect(code, stdout.toString()).to.equal(0);
  });
  after(() => remove?.());

  it("opens it with 7-Zip and the password, not with another one, and nothing in it is in clear", async function () {
    const zip = peer(this, "7zz");
    const listed = (await zip.run(["l", "-slt", `${folder}/export.zip`])).stdout.toString();
    expect(listed).to.match(/Method = AES-256 Store/);
    const wrong = await zip.run(["t", "-panother", `${folder}/export.zip`]);
    expect(wrong.code).to.not.equal(0);
    expect((await readFile(`${folder}/export.zip`)).includes("moof")).to.equal(false);
  });

  it("checks the fingerprint, the signatures and all files by the commands of README.txt", async function () {
    peer(this, "sha256sum");
    const readme = await readFile(`${unpacked()}/README.txt`, "utf8");
    const commands = readme.split("\n").filter((line) => /^ {5}(?:openssl|sha256sum) /.test(line));
    expect(commands).to.have.length(4);
    const shell = peer(this, "sh");
    const run = (command: string) =>
      shell.run(["-c", `cd '${unpacked()}' && ${command.replace(/ {2,}\(.*/, "")} 2>&1`]);
    const said = [];
    for (const command of commands) {
      const { code, stdout } = await run(command);
      expect(code, `${command}\n${stdout.toString()}`).to.equal(0);
      said.push(stdout.toString());
    }
    expect(said[0]).to.include(certificateOf(signers.exporter.certificate).fingerprint256);
    expect(said[1]).to.match(/Verification successful/);
    expect(said[2]).to.match(/Verification successful/);
    expect(said[3]?.match(/: OK$/gm)).to.have.length(manifest.films.length + 6);
    for (const [file, index] of [
      ["SHA256SUMS", 1],
      ["manifest.json", 2],
      [manifest.films[0]?.path ?? "", 3],
    ] as const) {
      const good = await readFile(`${unpacked()}/${file}`);
      const changed = Buffer.from(good);
      changed[200] = (changed[200] ?? 0) ^ 1;
      await writeFile(`${unpacked()}/${file}`, changed);
      const { code, stdout } = await run(commands[index] ?? "");
      expect(code, `${file} changed: ${stdout.toString()}`).to.not.equal(0);
      await writeFile(`${unpacked()}/${file}`, good);
    }
  });

  it("finds every frame in the films with ffmpeg, at its time, and what they are with ffprobe", async function () {
    const [ffmpeg, ffprobe] = [peer(this, "ffmpeg"), peer(this, "ffprobe")];
    expect(manifest.films).to.have.length(2);
    const found: number[] = [];
    for (const { path } of manifest.films) {
      const file = `${unpacked()}/${path}`;
      const entries = "stream=codec_name,start_time:format=duration:format_tags=major_brand,creation_time";
      const probed = await ffprobe.run(["-v", "error", "-show_entries", entries, "-of", "json", file]);
      const { streams, format } = JSON.parse(probed.stdout.toString()) as {
        streams: { codec_name: string; start_time: string }[];
        format: { tags: Record<string, string> };
      };
      expect(probed.stderr).to.equal("");
      expect(streams).to.deep.equal([{ codec_name: "h264", start_time: "0.000000" }]);
      expect(format.tags["major_brand"]).to.equal("isom");
      expect(Date.parse(format.tags["creation_time"] ?? "")).to.equal(
        Date.parse(manifest.films.find((film) => film.path === path)?.from ?? ""),
      );
      const decoded = await ffmpeg.run(["-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "gray", "-"]);
      expect({ code: decoded.code, stderr: decoded.stderr }).to.deep.equal({ code: 0, stderr: "" });
      found.push(...numbersIn(decoded.stdout));
    }
    const seconds = (from: number, to: number) => Array.from({ length: (to - from) * 25 }, (_, n) => from * 25 + n);
    expect(found).to.deep.equal([...seconds(4, 22), ...seconds(33, 36)]);
  });

  it("checks the signature of an ONVIF export file with openssl", async () => {
    const film = await readFile(`${unpacked()}/${manifest.films[0]?.path}`);
    const at = film.lastIndexOf("sibo") + 4;
    const size = film.readUInt32BE(at - 8) - 8;
    await writeFile(`${folder}/signature`, film.subarray(at, at + size));
    film.fill(0, at, at + size);
    await writeFile(`${folder}/zeroed.mp4`, film);
    await openssl.run([
      "x509",
      "-in",
      `${unpacked()}/certificates/export.pem`,
      "-pubkey",
      "-noout",
      "-out",
      `${folder}/key.pem`,
    ]);
    const options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:20", "-sha256"];
    const check = ["dgst", ...options, "-verify", `${folder}/key.pem`, "-signature", `${folder}/signature`];
    const { stdout } = await openssl.run([...check, `${folder}/zeroed.mp4`]);
    expect(stdout.toString()).to.equal("Verified OK\n");
    film[5000] = (film[5000] ?? 0) ^ 1;
    await writeFile(`${folder}/zeroed.mp4`, film);
    expect((await openssl.run([...check, `${folder}/zeroed.mp4`])).code).to.equal(1);
  });

  it("and we read what 7-Zip encrypts, stored as ours is", async function () {
    const zip = peer(this, "7zz");
    await writeFile(`${folder}/note.txt`, "made by another program");
    const made = await zip.run([
      "a",
      "-tzip",
      "-mx0",
      "-mem=AES256",
      `-p${PASSWORD.reveal()}`,
      `${folder}/theirs.zip`,
      `${folder}/note.txt`,
    ]);
    expect(made.code).to.equal(0);
    const file = await diskFiles.open(`${folder}/theirs.zip`, "read");
    const told = await ZipFile.open(file, PASSWORD).catch((error: unknown) => error);
    await file.close();
    // It is small, and has no sizes of 64 bits: not of our kind, and refused instead of guessed at.
    expect(told).to.include({ kind: "invalid" });
  });

  describe("plays it in Chromium", () => {
    let browser: Browser;
    let page: Page;
    const troubles: string[] = [];

    before(async function () {
      const { program } = peer(this, "chromium");
      browser = await chromium.launch({
        executablePath: program,
        timeout: LAUNCH_MS,
        args: ["--no-sandbox", "--disable-gpu"],
      });
      page = await browser.newPage({ viewport: { width: 1000, height: 900 } });
      page.setDefaultTimeout(STEP_MS);
      page.on("pageerror", (error) => troubles.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") troubles.push(message.text());
      });
      await page.goto(pathToFileURL(`${unpacked()}/viewer.html`).href);
    });
    after(async () => {
      if (SCREENSHOTS !== undefined) await pictures(SCREENSHOTS);
      await browser?.close();
    });

    const pictures = async (folderOfPictures: string): Promise<void> => {
      await page.goto(pathToFileURL(`${unpacked()}/viewer.html`).href);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `${folderOfPictures}/viewer-${colorScheme}.png`, fullPage: true });
      }
    };
    const video = () => page.locator("video");
    const timeOf = (): Promise<number> =>
      video().evaluate((element) => (element as unknown as VideoElement).currentTime);

    it("from a file, without a network", async () => {
      await video().evaluate((element) => {
        (element as unknown as VideoElement).muted = true;
      });
      await page.getByRole("button", { name: "2026-11-24 13:05:04.000 to 2026-11-24 13:05:22.000" }).press("Enter");
      await page.waitForFunction(() => {
        const element = (
          globalThis as unknown as { document: { querySelector(name: string): VideoElement } }
        ).document.querySelector("video");
        return element.videoWidth > 0 && element.currentTime > 0.5;
      });
      expect(await timeOf()).to.be.greaterThan(0.5);
      expect(await page.getByRole("status").textContent()).to.match(/^2026-11-24 13:05:0\d\.\d{3} UTC$/);
    });

    it("shows what is missing and why, who asked, and the next film", async () => {
      await page.getByText("not recorded: nothing was received").waitFor();
      await page.getByText("case </script> 117").waitFor();
      await page.getByText("Gate <1> begins as asked for", { exact: false }).waitFor();
      await page.getByRole("button", { name: "Next film" }).click();
      await page.getByText(/2026-11-24 13:05:3[34]\.\d{3} UTC/).waitFor();
    });

    it("says what to do where the film is not there", async () => {
      await page.goto(pathToFileURL(`${unpacked()}/viewer.html`).href);
      await page.locator("video").evaluate((element) => {
        (element as unknown as { src: string }).src = "media/gone.mp4";
      });
      await page.getByRole("alert").filter({ hasText: "VLC does" }).waitFor();
      expect(troubles.filter((one) => !one.includes("ERR_FILE_NOT_FOUND"))).to.deep.equal([]);
    });
  });
});
