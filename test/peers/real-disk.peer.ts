import { expect } from "chai";
import { MINUTE } from "../../base/units.ts";
import { diskFiles } from "../../recorder/files.ts";
import type { StreamRecorder } from "../../recorder/recorder.ts";
import { LoopDisk } from "../support/loop-disk.ts";
import { VolumeSite } from "../support/volume-site.ts";

describe("a real disk as a second volume", () => {
  let site: VolumeSite;
  let disk: LoopDisk;
  let recorder: StreamRecorder;

  beforeEach(async function () {
    site = await VolumeSite.make();
    site.files.freeBytes = (path) => diskFiles.freeBytes(path);
    disk = LoopDisk.make(this, `${site.folder}/fast`, 32);
    await site.addVolume("other");
    site.volumes.push({
      ...(site.volumes[0] as (typeof site.volumes)[0]),
      name: "fast",
      folder: `${site.folder}/fast`,
    });
    await site.open();
    recorder = site.recorder("gate", "fast");
    await site.record(recorder, 12);
  });
  afterEach(async () => {
    await site?.archive?.close().catch(() => undefined);
    disk?.remove();
    await site?.close();
  });

  const states = async (): Promise<unknown> =>
    Object.fromEntries((await site.archive.volumes()).map(({ name, state, streams }) => [name, [state, streams]]));

  interface Failure {
    readonly fail: () => void;
    readonly mend: () => void;
    readonly state: string;
  }
  const rows: readonly (readonly [what: string, failure: Failure])[] = [
    ["it is filled up", { fail: () => disk.fill(), mend: () => disk.empty(), state: "failing" }],
    [
      "the kernel makes it read-only, and it is mounted again",
      {
        fail: () => disk.becomeReadOnly(),
        mend() {
          disk.unmount();
          disk.mount();
        },
        state: "failing",
      },
    ],
    [
      "it is unmounted while it is written to, and mounted again",
      { fail: () => disk.unmount(), mend: () => disk.mount(), state: "away" },
    ],
  ];
  for (const [what, { fail, mend, state }] of rows)
    it(`loses no frame, and is recorded to again: ${what}`, async () => {
      fail();
      await site.record(recorder, 25);
      expect(await states()).to.deep.equal({ main: ["here", 0], other: ["here", 1], fast: [state, 0] });
      // Of what was being written when it failed, it is not known yet what is there.
      expect((await site.gaps()).map(({ cause }) => cause)).to.include.oneOf(["disk", "away"]);
      mend();
      await site.clock.advance(10 * MINUTE);
      await site.look();
      await site.record(recorder, 25);
      expect(await states()).to.deep.equal({ main: ["here", 0], other: ["here", 0], fast: ["here", 1] });
      await recorder.close();
      expect(await site.played()).to.deep.equal(Array.from({ length: site.picture }, (_, index) => index));
      expect(await site.gaps()).to.deep.equal([]);
      expect(await site.findings()).to.deep.equal([]);
    });
});
