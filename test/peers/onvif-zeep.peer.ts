import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { toLoopback } from "../support/consumer.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { CAMERAS, PROFILES } from "../support/onvif-cameras.ts";
import { PATHS } from "../support/onvif-client.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";
import { type Peer, pythonPeer } from "../support/peer.ts";

const SCRIPT = join(import.meta.dirname, "../support/onvif-zeep.py");
const IDS = CAMERAS.map(({ id }) => id);

describe("zeep with the official WSDL files as a client of ours", () => {
  let python: Peer;
  let folder: string;
  let site: OnvifTestSite;
  let login: OnvifLogin;

  before(async function () {
    python = pythonPeer(this, "zeep");
    folder = officialFolder(this);
    site = await startOnvifSite({
      clock: systemClock,
      consumers: toLoopback(),
      cameraDevices: { discoverable: true, own: [], shown: new Map() },
    });
    login = await site.account();
  });
  after(() => site?.close());

  async function walk(scheme: string, secret = login.secret, at = ""): Promise<Readonly<{ [name: string]: unknown }>> {
    const address = `http://127.0.0.1:${site.port}/onvif/${at}${PATHS.tds}`;
    const { code, stdout, stderr } = await python.run([SCRIPT, folder, address, login.name, secret, scheme]);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout.toString());
  }

  for (const scheme of ["token", "digest"]) {
    it(`logs in by ${scheme} and gets from the device to streams and recordings`, async () => {
      const found = await walk(scheme);
      expect(found).to.deep.include({
        year: new Date(systemClock.now()).getUTCFullYear(),
        manufacturer: "Viaduct",
        scopes: site.part.devices("127.0.0.1")[0]?.scopes,
        sources: ["gate", "yard", "old", "odd_-1"],
        profiles: PROFILES,
        profiles2: PROFILES,
        live: PROFILES.map((token) => `rtsp://127.0.0.1:8554/live/${token.replace("_sub", "/sub")}`),
        live2: "rtsps://127.0.0.1:8322/live/gate",
        recordings: IDS,
        found: IDS,
        state: "Completed",
        number: IDS.length,
        // Beginnings and ends of recordings and of their tracks; how each of them stood.
        history: [
          [12, 14],
          [12, 14],
        ],
        events: {
          topics: 6,
          told: ["IsRecording", "RecordingJobToken", "RecordingToken", "Source", "State"],
          again: true,
          after: "ResourceUnknownFault",
        },
        notified: { mine: true, told: ["IsRecording", "RecordingJobToken", "RecordingToken", "Source", "State"] },
        replay: "rtsp://127.0.0.1:8554/recorded/gate",
      });
      expect(found["services"]).to.have.length(Object.keys(PATHS).length);
    });

    it(`is refused by ${scheme} with a wrong secret`, async () => {
      expect(await walk(scheme, "wrong")).to.deep.equal({
        fault: "wrong name or password",
        subcodes: ["NotAuthorized"],
      });
    });
  }

  it("finds at the device of one camera that camera alone", async () => {
    const found = await walk("digest", login.secret, "camera/gate/");
    expect(found).to.deep.include({ sources: ["gate"], recordings: ["gate"], found: ["gate"], number: 1 });
    expect(found["profiles"]).to.deep.equal(["gate"]);
  });
});
