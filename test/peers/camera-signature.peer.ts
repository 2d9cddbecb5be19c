import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { H264_CODEC } from "../../media/nal-codec.ts";
import { signingSchemeOf } from "../../media/signing/sei.ts";
import type { Manifest } from "../../recorder/export/manifest.ts";
import { nalsIn, readPlayed } from "../../sim/played.ts";
import { eventually, startTestBridge } from "../support/bridge.ts";
import { type Peer, peer } from "../support/peer.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { signedBytes, signedPath } from "../support/signed-film.ts";
import { viaduct, writeConfig } from "../support/viaduct.ts";

/** As `viaduct verify --json` tells it. */
interface Told {
  readonly cameras: readonly {
    readonly camera: string;
    readonly schemes: readonly string[];
    readonly signers: readonly { readonly name: string; readonly manufacturer: string; readonly groups: number }[];
    readonly findings: readonly { readonly verdict: string; readonly from: string; readonly to: string }[];
  }[];
}

const isMessage = (nal: Buffer): boolean => signingSchemeOf(nal, H264_CODEC) !== undefined;
/** What a byte stream has of messages, in order, as text that can be compared. */
const messagesIn = (bytes: Buffer): readonly string[] =>
  nalsIn(bytes)
    .filter(isMessage)
    .map((nal) => nal.toString("base64"));

const secondsOf = ({ from, to }: { readonly from: string; readonly to: string }): number =>
  (Date.parse(to) - Date.parse(from)) / 1000;

describe("a camera that signs its stream itself", () => {
  const film = signedBytes("plain.264");
  const sent = messagesIn(film);
  let ffmpeg: Peer;
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";
  let recorded = "";
  let told: Told;
  const streams: Record<string, Buffer> = {};

  before(async function () {
    ffmpeg = peer(this, "ffmpeg");
    ({ folder, remove } = await scratchFolder());
    config = await writeConfig(folder);
    await mkdir(join(folder, "data"), { recursive: true });
    const t = await startTestBridge({ folder: join(folder, "data"), encryption: "none", segmentSeconds: 10 });
    try {
      const camera = await t.camera({ address: t.cameraAddress(), played: readPlayed(film), fps: 5 });
      const id = await t.adopt(camera);
      recorded = join(folder, "data/recordings", id);
      const login = await t.account();
      const copied = async (path: string): Promise<Buffer> => {
        const url = t.rtsp(login, path);
        const args = `-v error -rtsp_transport tcp -i ${url} -c copy -frames:v 20 -f h264 -`.split(" ");
        const { code, stdout, stderr } = await ffmpeg.run(args);
        expect(code, stderr).to.equal(0);
        return stdout;
      };
      await eventually(() => t.cameras(login).some(({ info }) => info.connection.state === "online"));
      streams["live"] = await copied(`live/${id}`);
      // The film lasts six seconds, and a file ten: in twice the film there is half of one that nothing cuts in two.
      await eventually(async () => {
        const { from = 0, to = 0 } = (await t.cameraOf(login, id).recorded.extent()) ?? {};
        return to - from > 14_000;
      });
      streams["replayed"] = await copied(`recorded/${id}`);
    } finally {
      await t.close();
    }
    const { code, out, err } = await viaduct(["verify", recorded, "--camera-ca", signedPath("maker.pem"), "--json"]);
    expect(code, err).to.be.oneOf([0, 1]);
    told = JSON.parse(out) as Told;
  });
  after(() => remove?.());

  /** The longest stretch of what was recorded that the camera vouches for. */
  const good = () =>
    (told.cameras[0]?.findings ?? [])
      .filter(({ verdict }) => verdict === "ok")
      .toSorted((a, b) => secondsOf(b) - secondsOf(a))[0];

  it("is handed on with every byte of its signature, live and replayed", () => {
    for (const [what, bytes] of Object.entries(streams)) {
      const messages = messagesIn(bytes);
      expect(messages, what).to.have.length.greaterThan(2);
      const first = sent.indexOf(messages[0] ?? "");
      expect(messages, what).to.deep.equal(messages.map((_, index) => sent[(first + index) % sent.length]));
    }
  });

  it("is recorded so that its signature holds, and says who signed", () => {
    expect(told.cameras.map(({ schemes }) => schemes)).to.deep.equal([["onvif-media-signing"]]);
    expect(told.cameras[0]?.signers.map(({ name, manufacturer }) => [name, manufacturer])).to.deep.equal([
      ["Camera 0001", "Test"],
    ]);
    expect(secondsOf(good() ?? { from: "", to: "" })).to.be.greaterThan(1.9);
    // The film is played over and over: what comes again was not signed for that.
    const others = told.cameras[0]?.findings.filter(({ verdict }) => verdict !== "ok").map(({ verdict }) => verdict);
    expect(new Set(others)).to.satisfy((verdicts: ReadonlySet<string>) =>
      [...verdicts].every((one) => one === "unknown" || one === "changed"),
    );
  });

  it("is exported so that whoever gets the export sees the same, and finds the same bytes with public tools", async () => {
    const { from = "", to = "" } = good() ?? {};
    const out = join(folder, "export");
    const times = ["--from", from, "--to", new Date(Date.parse(to) - 100).toISOString()];
    const camera = recorded.split("/").at(-1) ?? "";
    const args = ["export", "--config", config, "--camera", camera, ...times, "--out", out, "--no-password", "--json"];
    const made = await viaduct(args);
    expect(made.code, made.err).to.equal(0);
    const { manifest } = JSON.parse(made.out) as { manifest: Manifest };
    expect(manifest.films.map(({ signedByCamera }) => signedByCamera)).to.deep.equal([["onvif-media-signing"]]);
    expect(await readFile(join(out, "README.txt"), "utf8")).to.match(
      /signed by the camera itself, in its pictures \(ONVIF Media Signing\)/,
    );
    const path = join(out, manifest.films[0]?.path ?? "");
    const { stdout } = await ffmpeg.run(`-v error -i ${path} -c copy -f h264 -`.split(" "));
    const messages = messagesIn(stdout);
    const first = sent.indexOf(messages[0] ?? "");
    expect(first).to.be.greaterThan(-1);
    expect(messages).to.deep.equal(messages.map((_, index) => sent[(first + index) % sent.length]));
    const checked = await viaduct(["verify", out, "--camera-ca", signedPath("maker.pem")]);
    expect(checked.out).to.match(/ signed by the camera: ok$/m);
    expect(checked.out).to.match(
      /\d+ groups of pictures of \S+ signed by \S+, Camera 0001, issued by Makers of cameras, which says that it is Test 0001 \(ONVIF Media Signing\)$/m,
    );
    const other = await viaduct(["verify", out, "--camera-ca", signedPath("other-maker.pem")]);
    expect(other.out).to.match(
      / signed by the camera: by somebody who is not trusted: the certificate of Camera 0001 does not lead to the authority/,
    );
    expect(other.out).not.to.match(/ signed by the camera: ok$/m);
    const nobody = await viaduct(["verify", out]);
    expect(nobody.out).to.match(/^Give the certificates of the cameras' maker with --camera-ca/m);
  });
});
