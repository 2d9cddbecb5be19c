import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import type { CameraDeviceSettings } from "../../bridge/client-side/onvif-part.ts";
import { DiscoveryServer } from "../../discovery/server/hello.ts";
import { type ClientNetwork, clientNetwork } from "../support/client-network.ts";
import { CAMERAS } from "../support/onvif-cameras.ts";
import { type OnvifLogin, startOnvifSite, UUID } from "../support/onvif-site.ts";
import { type Outcome, type Peer, peer } from "../support/peer.ts";

describe("onvif-util as a client of ours", () => {
  let network: ClientNetwork;
  let command: Peer;
  let login: OnvifLogin;
  const open: { close(): Promise<void> }[] = [];

  before(function () {
    peer(this, "onvif-util");
    // It looks for devices by multicast, and not on loopback.
    network = clientNetwork(this);
    command = peer(this, network.command[0]);
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
  });
  after(() => network?.close());

  const start = async (cameraDevices?: CameraDeviceSettings): Promise<void> => {
    const site = await startOnvifSite({
      clock: systemClock,
      address: network.address,
      ...(cameraDevices && { cameraDevices }),
    });
    open.push(site);
    login = await site.account();
    const discovery = new DiscoveryServer({
      addresses: [network.address],
      devices: (local) => site.part.devices(local),
      clock: systemClock,
      log: silentLog(),
    });
    open.push(discovery);
    await discovery.start();
  };

  const run = (args: readonly string[], input = ""): Promise<Outcome> =>
    command.run([...network.command.slice(1), "onvif-util", ...args], { input });

  it("finds us by discovery, and a device for each camera where that is switched on", async () => {
    await start({ discoverable: true, own: [], shown: new Map() });
    const { stdout } = await run(["-a"]);
    expect(stdout.toString())
      .to.include(`Found ${1 + CAMERAS.length} cameras`)
      .and.to.include(network.address);
  });

  it("logs in and gets to the stream", async () => {
    // It takes whichever device answers first at the address.
    await start();
    const session = ["get rtsp", "get video", "get capabilities", "get time", "quit", ""].join("\n");
    const { stdout } = await run(["-u", login.name, "-p", login.secret, network.address], session);
    const text = stdout.toString();
    expect(text).to.include("successfully connected").and.to.include(`serial: ${UUID}`);
    expect(text).to.include(`rtsp://${network.address}:8554/live/gate`);
    expect(text).to.include("Resolution: 1920 x 1080");
  });

  it("is refused with a wrong secret", async () => {
    await start();
    const { code, stdout } = await run(["-u", login.name, "-p", "wrong", network.address], "get rtsp\nquit\n");
    expect(code).not.to.equal(0);
    expect(stdout.toString()).not.to.include("rtsp://");
  });
});
