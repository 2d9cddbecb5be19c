import type { X509Certificate } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { expect } from "chai";
import { Secret } from "../../../base/secret.ts";
import { unixMillis } from "../../../base/units.ts";
import { selfSigned } from "../../../net/tls.ts";
import { signCms } from "../../../recorder/cms/detached.ts";
import { openExport } from "../../../recorder/export/export-files.ts";
import { type Manifest, printSums, readSums } from "../../../recorder/export/manifest.ts";
import { type ExportReport, verifyExport } from "../../../recorder/export/verify-export.ts";
import { FRAGMENT_BOX_BYTES, FRAGMENT_UUID } from "../../../recorder/integrity.ts";
import { certificateOf } from "../../../recorder/signature.ts";
import { trustIn } from "../../../recorder/trust.ts";
import { exitCodeOf } from "../../../recorder/verify.ts";
import { exportTo, makeSigners, recordFor, type Signers } from "../../support/exported.ts";
import { START_MS, scratchFolder } from "../../support/recorder-samples.ts";

const ASKED = { fromSeconds: 3, toSeconds: 28, cameras: [{ id: "a" }, { id: "b" }] };

/** What was done to an export, and what is said of it. The films of "a" and "b" have 25 seconds, a fragment each. */
interface Case {
  readonly name: string;
  readonly change: (o: Tampered) => Promise<void>;
  /** Files, with the verdict on each that is not good; a film with the second of the footage at which it is accused. */
  readonly found: readonly string[];
  readonly exitCode: 1 | 3;
}

interface Tampered {
  readonly out: string;
  readonly manifest: Manifest;
  readonly filmA: string;
  readonly filmB: string;
  /** Of another installation. */
  readonly thief: Signers;
}

const fragmentsOf = (film: Buffer): readonly number[] => {
  const found: number[] = [];
  for (let at = film.indexOf(FRAGMENT_UUID); at >= 0; at = film.indexOf(FRAGMENT_UUID, at + 1)) found.push(at - 8);
  // The boxes stand once more in the signatures, one right behind the other.
  return found.filter(
    (at, index) => (found[index + 1] ?? film.length) - at > FRAGMENT_BOX_BYTES + 8 && isFragment(film, at),
  );
};
const isFragment = (film: Buffer, at: number): boolean =>
  /prft|moof|free/.test(film.toString("latin1", at + FRAGMENT_BOX_BYTES + 4, at + FRAGMENT_BOX_BYTES + 8));

async function edit(path: string, change: (bytes: Buffer) => Buffer | undefined): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, change(bytes) ?? bytes);
}

/** Writes list and signatures anew, as whoever has a key of their own would. */
async function signAnew(out: string, { exporter }: Signers, names: readonly string[]): Promise<void> {
  const sums = new Map(readSums(await readFile(`${out}/SHA256SUMS`)));
  const { createHash } = await import("node:crypto");
  const manifest = await readFile(`${out}/manifest.json`);
  await writeFile(`${out}/manifest.json.p7s`, signCms(manifest, exporter, Date.now() as never));
  for (const name of [...names, "manifest.json", "manifest.json.p7s"])
    sums.set(
      name,
      createHash("sha256")
        .update(await readFile(`${out}/${name}`))
        .digest("hex"),
    );
  const list = printSums(sums);
  await writeFile(`${out}/SHA256SUMS`, list);
  await writeFile(`${out}/SHA256SUMS.p7s`, signCms(list, exporter, Date.now() as never));
}

const CASES: readonly Case[] = [
  {
    name: "a bit of a picture is flipped",
    change: ({ filmA }) => edit(filmA, (film) => void film.writeUInt8(1, (fragmentsOf(film)[4] ?? 0) + 2000)),
    found: ["film a: changed at 7"],
    exitCode: 1,
  },
  {
    name: "a second is taken out of a film",
    change: ({ filmA }) =>
      edit(filmA, (film) => {
        const [from, to] = fragmentsOf(film).slice(2, 4);
        return Buffer.concat([film.subarray(0, from), film.subarray(to)]);
      }),
    found: ["film a: missing at 5"],
    exitCode: 1,
  },
  {
    name: "two seconds change places",
    change: ({ filmA }) =>
      edit(filmA, (film) => {
        const [from = 0, middle = 0, to = 0] = fragmentsOf(film).slice(1, 4);
        const parts = [
          film.subarray(0, from),
          film.subarray(middle, to),
          film.subarray(from, middle),
          film.subarray(to),
        ];
        return Buffer.concat(parts);
      }),
    found: ["film a: reordered at 5"],
    exitCode: 1,
  },
  {
    name: "the media time of a second is moved",
    change: ({ filmA }) =>
      edit(filmA, (film) => void film.writeUInt8(7, film.indexOf("tfdt", fragmentsOf(film)[3]) + 12)),
    found: ["film a: changed at 6"],
    exitCode: 1,
  },
  {
    name: "the time in its tables is changed",
    change: ({ filmA }) => edit(filmA, (film) => void film.writeUInt8(9, film.indexOf("mvhd") + 9)),
    found: ["film a: changed at 3"],
    exitCode: 1,
  },
  {
    name: "something is put behind its end",
    change: ({ filmA }) => edit(filmA, (film) => Buffer.concat([film, Buffer.alloc(50)])),
    found: ["film a: changed at 3"],
    exitCode: 1,
  },
  {
    name: "another camera's film is put in its place",
    change: ({ filmA, filmB }) => copyFile(filmB, filmA),
    found: ["film a: from another camera at 3"],
    exitCode: 1,
  },
  {
    name: "a film is missing",
    change: ({ filmB }) => rm(filmB),
    found: ["film b: missing at 3"],
    exitCode: 1,
  },
  {
    name: "the manifest is edited",
    change: ({ out }) =>
      edit(`${out}/manifest.json`, (bytes) =>
        Buffer.from(bytes.toString().replace('"askedBy": "anna"', '"askedBy": "otto"')),
      ),
    found: ["manifest.json: changed", "manifest.json: changed"],
    exitCode: 1,
  },
  {
    name: "a gap is made up in the manifest",
    change: async ({ out, filmA }) => {
      await rm(filmA);
      await edit(`${out}/manifest.json`, (bytes) => {
        const manifest = JSON.parse(bytes.toString()) as { cameras: { gaps: object[] }[]; films: unknown[] };
        manifest.films.shift();
        manifest.cameras[0]?.gaps.push({ ...(JSON.parse(bytes.toString()) as Manifest).asked, reason: "not recorded" });
        return Buffer.from(JSON.stringify(manifest));
      });
    },
    found: ["film a: missing", "manifest.json: changed", "manifest.json: changed"],
    exitCode: 1,
  },
  {
    name: "the signature of the manifest is missing",
    change: ({ out }) => rm(`${out}/manifest.json.p7s`),
    found: ["manifest.json.p7s: missing", "manifest.json: unsigned"],
    exitCode: 1,
  },
  {
    name: "the viewer is changed",
    change: ({ out }) =>
      edit(`${out}/viewer.html`, (bytes) => Buffer.from(bytes.toString().replace("Exported", "Forged"))),
    found: ["viewer.html: changed"],
    exitCode: 1,
  },
  {
    name: "a file is put in",
    change: ({ out }) => writeFile(`${out}/media/a/more.mp4`, "more"),
    found: ["media/a/more.mp4: inserted"],
    exitCode: 1,
  },
  {
    name: "the certificate is another one",
    change: ({ out, thief }) =>
      writeFile(`${out}/certificates/export.pem`, certificateOf(thief.exporter.certificate).toString()),
    found: ["certificates/export.pem: changed"],
    exitCode: 1,
  },
  {
    name: "it is signed anew by another key, with another certificate",
    change: async ({ out, thief }) => {
      await writeFile(`${out}/certificates/export.pem`, certificateOf(thief.exporter.certificate).toString());
      await signAnew(out, thief, ["certificates/export.pem"]);
    },
    found: ["certificates/export.pem: unsigned"],
    exitCode: 3,
  },
  {
    name: "a film is changed, and it is signed anew by another key",
    change: async ({ out, manifest, filmA, thief }) => {
      await edit(filmA, (film) => void film.writeUInt8(1, (fragmentsOf(film)[4] ?? 0) + 2000));
      await signAnew(out, thief, [manifest.films[0]?.path ?? ""]);
    },
    found: ["certificates/export.pem: unsigned", "film a: changed at 7"],
    exitCode: 1,
  },
  {
    name: "an anchor is said to be of another time, and it is signed anew by another key",
    change: async ({ out, thief }) => {
      const text = await readFile(`${out}/anchors.json`, "utf8");
      await writeFile(`${out}/anchors.json`, text.replace(/\\"time\\":\\"20\d\d/, '\\"time\\":\\"2019'));
      await signAnew(out, thief, ["anchors.json"]);
    },
    found: ["anchors.json: changed", "certificates/export.pem: unsigned"],
    exitCode: 1,
  },
];

describe("verifying an export", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signers: Signers;
  let thief: Signers;
  let manifest: Manifest;
  let copies = 0;

  before(async () => {
    [signers, thief] = [await makeSigners(), await makeSigners()];
    ({ folder, remove } = await scratchFolder());
    await recordFor(folder, { a: { seconds: 30 }, b: { seconds: 30 } }, { signer: signers.recorder });
    manifest = await exportTo(`${folder}/out`, folder, ASKED, signers);
  });
  after(() => remove());

  async function copy(): Promise<Tampered> {
    copies += 1;
    const out = `${folder}/copy-${copies}`;
    for (const entry of await readdir(`${folder}/out`, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const from = `${entry.parentPath}/${entry.name}`;
      const to = from.replace(`${folder}/out`, out);
      await mkdir(dirname(to), { recursive: true });
      await copyFile(from, to);
    }
    const [filmA, filmB] = manifest.films.map(({ path }) => `${out}/${path}`) as [string, string];
    return { out, manifest, filmA, filmB, thief };
  }

  async function report(
    path: string,
    trusted: readonly X509Certificate[] = [],
    password?: Secret,
  ): Promise<ExportReport> {
    const files = await openExport(path, password);
    try {
      return await verifyExport(files, trusted.length === 0 ? undefined : trustIn(trusted));
    } finally {
      await files.close();
    }
  }

  const second = (us: number): number => Math.round((us / 1000 - START_MS) / 1000);
  const nameOf = (file: string): string => (/^media\/([ab])\/2026/.test(file) ? `film ${file[6]}` : file);
  const accused = ({ stretches }: ExportReport): readonly string[] =>
    stretches
      .filter(({ verdict }) => verdict !== "ok")
      .map(
        ({ file, verdict, fromUs, toUs }) => `${nameOf(file)}: ${verdict}${toUs === 0 ? "" : ` at ${second(fromUs)}`}`,
      )
      .toSorted();
  const fingerprint = (der: Buffer): string => certificateOf(der).fingerprint256;

  it("says until when of each camera there was footage when the recorder anchored it", async () => {
    const anchors = (await report(`${folder}/out`)).stretches.filter(({ file }) => file === "anchors.json");
    expect(anchors.map(({ verdict, why }) => `${verdict}: ${why}`)).to.deep.equal(
      ["a", "b"].map(
        (camera) =>
          `ok: the anchor of 2026-11-24T13:05:00.000Z over ${camera}/main: what is before 2026-11-24T13:05:30.000Z was recorded by then`,
      ),
    );
  });

  it("finds every second as it was recorded, whichever certificate is trusted", async () => {
    const { recorder, exporter } = signers;
    for (const trusted of [[], [certificateOf(recorder.certificate)], [certificateOf(exporter.certificate)]]) {
      const found = await report(`${folder}/out`, trusted);
      expect(accused(found)).to.deep.equal([]);
      expect(exitCodeOf(found)).to.equal(0);
      expect([...found.signers.keys()]).to.deep.equal([fingerprint(recorder.certificate)]);
      const seconds = found.stretches.reduce((sum, { fromUs, toUs }) => sum + (toUs - fromUs) / 1_000_000, 0);
      expect(seconds).to.be.closeTo(50, 0.01);
    }
  });

  it("does so in an encrypted ZIP file, without unpacking it", async () => {
    const password = new Secret("correct horse");
    await exportTo(`${folder}/out.zip`, folder, ASKED, { ...signers, password });
    expect(accused(await report(`${folder}/out.zip`, [], password))).to.deep.equal([]);
    const told = await report(`${folder}/out.zip`, [], new Secret("wrong")).catch((error: unknown) => error);
    expect(told).to.include({ kind: "unauthenticated", tell: "the password is another one" });
  });

  it("notices that another certificate was expected", async () => {
    const found = await report(`${folder}/out`, [certificateOf(thief.recorder.certificate)]);
    expect(accused(found)).to.include("certificates/export.pem: unsigned");
    expect(exitCodeOf(found)).to.equal(3);
  });

  it("accuses nothing where the certificate of the recorder's key changed in between", async () => {
    const place = `${folder}/changed`;
    await mkdir(place);
    const { recorder, exporter } = signers;
    const pkcs8 = recorder.privateKey.export({ type: "pkcs8", format: "der" });
    const later = certificateOf(await selfSigned(pkcs8, "CN=Later", unixMillis(START_MS)));
    await recordFor(place, { a: { seconds: 30 } }, { signer: recorder });
    await recordFor(place, { b: { seconds: 30 } }, { signer: { ...recorder, certificate: later.raw } });
    await exportTo(`${place}/out`, place, ASKED, { recorder: { ...recorder, certificate: later.raw }, exporter });
    const before = certificateOf(recorder.certificate);
    for (const trusted of [[], [before, later], [certificateOf(exporter.certificate)]]) {
      const found = await report(`${place}/out`, trusted);
      expect(accused(found)).to.deep.equal([]);
      expect(found.signers.size).to.equal(2);
    }
    const found = await report(`${place}/out`, [later]);
    expect(accused(found)).to.deep.equal(["anchors.json: unsigned", "certificates/export.pem: unsigned"]);
    expect(exitCodeOf(found)).to.equal(3);
  });

  it("misses nothing that the export says to be missing", async () => {
    const names = (await readdir(`${folder}/a`, { recursive: true }))
      .filter((name) => name.endsWith(".mp4"))
      .toSorted();
    const second = `${folder}/a/${names[1]}`;
    await rename(second, `${second}.aside`);
    try {
      const made = await exportTo(`${folder}/with-gap`, folder, ASKED, signers);
      expect(made.cameras[0]?.gaps).to.have.length(1);
      expect(accused(await report(`${folder}/with-gap`))).to.deep.equal([]);
    } finally {
      await rename(`${second}.aside`, second);
    }
  });

  for (const { name, change, found, exitCode } of CASES)
    it(`notices that ${name}, and accuses nothing else`, async () => {
      const tampered = await copy();
      await change(tampered);
      const told = await report(tampered.out);
      expect(accused(told)).to.deep.equal(found);
      expect(exitCodeOf(told)).to.equal(exitCode);
    });
});
