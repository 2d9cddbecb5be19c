import { readFile, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { H264_CODEC } from "../../../media/nal-codec.ts";
import { openExport } from "../../../recorder/export/export-files.ts";
import { verifyExport } from "../../../recorder/export/verify-export.ts";
import { exportTo, makeSigners, recordFor, type Signers } from "../../support/exported.ts";
import { scratchFolder } from "../../support/recorder-samples.ts";
import { signedFilm, signingCertificate } from "../../support/signed-film.ts";
import { signedFootage } from "../../support/signed-footage.ts";

const { pictures } = signedFilm("plain.264");

describe("a film of an export that its camera has signed itself", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let signers: Signers;

  before(async () => {
    signers = await makeSigners();
    ({ folder, remove } = await scratchFolder());
    const gate = signedFootage(signedFilm("plain.264"), true);
    await recordFor(folder, { gate }, { signer: signers.recorder });
  });
  after(() => remove());

  /** What the camera says of the film, from one verdict to the next. */
  async function told(out: string): Promise<readonly string[]> {
    const files = await openExport(out, undefined);
    try {
      const { cameras } = await verifyExport(files, undefined, { cameraMakers: [signingCertificate("maker.pem")] });
      return cameras.flatMap(({ findings }) => findings.map(({ verdict }) => verdict));
    } finally {
      await files.close();
    }
  }

  for (const [what, leftOut] of [
    ["as it was recorded", []],
    ["from which the sound was left out", ["audio"]],
  ] as const)
    it(`holds what the camera says of it ${what}, and says where a picture was changed`, async () => {
      const out = `${folder}/${leftOut.length === 0 ? "whole" : "silent"}`;
      const asked = { fromSeconds: 0, toSeconds: 60, cameras: [{ id: "gate", leftOut: new Set(leftOut) }] };
      const { films } = await exportTo(out, folder, asked, signers);
      expect(films.map(({ asRecorded, signedByCamera }) => [asRecorded, signedByCamera])).to.deep.equal([
        [leftOut.length === 0, ["onvif-media-signing"]],
      ]);
      expect(await told(out)).to.deep.equal(["ok", "unknown"]);

      const film = `${out}/${films[0]?.path}`;
      const bytes = await readFile(film);
      const [slice = Buffer.alloc(0)] = (pictures[12] ?? []).filter((nal) => H264_CODEC.vcl(H264_CODEC.type(nal)));
      const at = bytes.indexOf(slice) + slice.length - 3;
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      await writeFile(film, bytes);
      expect(await told(out)).to.include("changed");
    });
});
