import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { loadIdentity } from "../../net/tls.ts";
import { buildGsoapWalk, type GsoapWalk } from "../support/gsoap.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { CAMERAS, PROFILES } from "../support/onvif-cameras.ts";
import { PATHS } from "../support/onvif-client.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";

const IDS = CAMERAS.map(({ id }) => id);
const OFFICIAL = [
  "ver10/device/wsdl/devicemgmt.wsdl",
  "ver10/media/wsdl/media.wsdl",
  "ver20/media/wsdl/media.wsdl",
  "ver20/ptz/wsdl/ptz.wsdl",
  "ver10/events/wsdl/event.wsdl",
  "ver10/search.wsdl",
  "ver10/replay.wsdl",
].map((path) => `http://www.onvif.org/${path}`);
/** Of the same services, and of what a pull point is asked. */
const OWN = [PATHS.tds, PATHS.trt, PATHS.tr2, PATHS.tptz, PATHS.tev, PATHS.tse, PATHS.trp, "subscription/any"];

describe("gSOAP as a client of ours", () => {
  let folder: string;
  let site: OnvifTestSite;
  let login: OnvifLogin;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-gsoap-site-"));
    site = await startOnvifSite({
      clock: systemClock,
      identity: await loadIdentity(folder, ["127.0.0.1"], systemClock),
    });
    login = await site.account();
  });
  after(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The WSDL that the services give, as files. */
  const ownFiles = (): Promise<readonly string[]> =>
    Promise.all(
      OWN.map(async (path) => {
        const file = join(folder, `${path.replaceAll("/", "_")}.wsdl`);
        await writeFile(file, (await site.send({ method: "GET", path: `/onvif/${path}?wsdl` })).body);
        return file;
      }),
    );

  for (const whose of ["ONVIF's own WSDL files", "the WSDL that we give"])
    describe(`with stubs of ${whose}`, () => {
      let walk: GsoapWalk;
      before(async function () {
        const files =
          whose === "the WSDL that we give"
            ? { files: await ownFiles() }
            : { files: OFFICIAL, official: officialFolder(this) };
        walk = await buildGsoapWalk(this, files);
      });
      after(() => walk?.close());

      const walked = (
        scheme: "http" | "https",
        other: { readonly password?: string; readonly trusted?: string } = {},
      ): ReturnType<GsoapWalk["run"]> =>
        walk.run({
          address: `${scheme}://127.0.0.1:${scheme === "https" ? site.tlsPort : site.port}/onvif/device_service`,
          user: login.name,
          password: login.secret,
          trusted: join(folder, "tls-cert.pem"),
          ...other,
        });

      for (const scheme of ["http", "https"] as const)
        it(`logs in by UsernameToken over ${scheme}, and gets to live video, PTZ, events, recordings and replay`, async () => {
          expect(await walked(scheme)).to.deep.equal({
            manufacturer: ["Viaduct"],
            profile: PROFILES,
            profile2: PROFILES,
            live: PROFILES.map((token) => `rtsp://127.0.0.1:8554/live/${token.replace("_sub", "/sub")}`),
            live2: ["rtsps://127.0.0.1:8322/live/gate"],
            // Of those whose codec Media 1.0 has a word for; 0 while a picture's size is not known.
            size: ["1920x1080", "1920x1080", "0x0", "0x0"],
            node: ["gate"],
            pan: ["0.1"],
            preset: ["Door"],
            kept: ["yes"],
            lives: ["120"],
            // How each of the recordings stands, at first and after a synchronization point.
            told: ["6", "6"],
            again: ["yes"],
            after: ["There is no such subscription: it has ended, or never was"],
            number: [String(IDS.length)],
            state: ["Completed"],
            recording: IDS,
            replay: IDS.map((id) => `rtsp://127.0.0.1:8554/recorded/${id}`),
          });
        });

      it("is refused with a wrong secret", async () => {
        expect(await walked("http", { password: "wrong" })).to.deep.equal({ refused: ["tds__GetDeviceInformation"] });
      });

      it("does not take another certificate for ours", async () => {
        const elsewhere = await mkdtemp(join(folder, "other-"));
        await loadIdentity(elsewhere, ["127.0.0.1"], systemClock);
        const outcome = await walked("https", { trusted: join(elsewhere, "tls-cert.pem") }).then(String, String);
        expect(outcome).to.include("certificate verify failed");
      });
    });
});
