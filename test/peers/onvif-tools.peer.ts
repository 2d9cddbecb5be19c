import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { DiscoveryServer } from "../../discovery/server/hello.ts";
import { type ClientNetwork, clientNetwork } from "../support/client-network.ts";
import { CAMERAS } from "../support/onvif-cameras.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite, UUID } from "../support/onvif-site.ts";
import { type Outcome, type Peer, peer } from "../support/peer.ts";

describe("onvif-util as a client of ours", function () {
  this.timeout(60_000);
  let network: ClientNetwork;
  let command: Peer;
  let site: OnvifTestSite;
  let login: OnvifLogin;
  let discovery: DiscoveryServer;

  before(async function () {
    peer(this, "onvif-util");
    // It looks for devices by multicast, and not on loopback.
    network = clientNetwork(this);
    command = peer(this, network.command[0]);
    site = await startOnvifSite({
      clock: systemClock,
      address: network.address,
      cameraDevices: { discoverable: true, own: [], shown: new Map() },
    });
    login = await site.account();
    discovery = new DiscoveryServer({
      addresses: [network.address],
      devices: (local) => site.part.devices(local),
      clock: systemClock,
      log: silentLog(),
    });
    await discovery.start();
  });
  after(async () => {
    await discovery?.close();
    await site?.close();
    network?.close();
  });

  const run = (args: readonly string[], input = ""): Promise<Outcome> =>
    command.run([...network.command.slice(1), "onvif-util", ...args], { input });

  it("finds us by discovery", async () => {
    const { stdout } = await run(["-a"]);
    // The bridge, and a device for each camera.
    expect(stdout.toString())
      .to.include(`Found ${1 + CAMERAS.length} cameras`)
      .and.to.include(network.address);
  });

  it("logs in and gets to the stream", async () => {
    const session = ["get rtsp", "get video", "get capabilities", "get time", "quit", ""].join("\n");
    const { stdout } = await run(["-u", login.name, "-p", login.secret, network.address], session);
    const text = stdout.toString();
    expect(text).to.include("successfully connected").and.to.include(`serial: ${UUID}`);
    expect(text).to.include(`rtsp://${network.address}:8554/live/gate`);
    expect(text).to.include("Resolution: 1920 x 1080");
  });

  it("is refused with a wrong secret", async () => {
    const { code, stdout } = await run(["-u", login.name, "-p", "wrong", network.address], "get rtsp\nquit\n");
    expect(code).not.to.equal(0);
    expect(stdout.toString()).not.to.include("rtsp://");
  });
});
