import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { freeTcpPort, type Login, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { OnvifClient, texts } from "../support/onvif-client.ts";
import { exchange } from "../support/onvif-site.ts";
import { RtspsClient } from "../support/rtsps-client.ts";

/** One of this machine that no other test listens at. */
const OWN = "127.0.199.21";

describe("a camera with an address or a port of its own", () => {
  let site: TestBridge;
  let login: Login;
  let gate: string;
  let ports: { readonly https: number; readonly http: number };

  before(async () => {
    ports = { https: await freeTcpPort(), http: await freeTcpPort() };
    // The ids that the names of the cameras lead to.
    const own = [
      { camera: "gate", ...ports },
      { camera: "yard", address: OWN },
    ];
    site = await startTestBridge({ cameraDevices: { enabled: true, own } });
    gate = await site.adopt(await site.camera({ name: "Gate" }));
    expect(gate).to.equal("gate");
    expect(await site.adopt(await site.camera({ name: "Yard" }))).to.equal("yard");
    login = await site.account();
  });
  after(() => site?.close());

  const at = (host: string, port: number, tls: boolean): OnvifClient =>
    new OnvifClient(
      {
        clock: systemClock,
        send: ({ path, body, method = "POST", headers = {} }) =>
          exchange(
            {
              host,
              port,
              path,
              method,
              agent: false,
              rejectUnauthorized: false,
              headers: { "content-type": "application/soap+xml", ...headers },
            },
            tls,
            body,
          ),
      },
      login,
    );
  const profiles = async (client: OnvifClient): Promise<readonly string[]> => {
    const { element } = await client.call("trt", "GetProfiles");
    return element.children.map(({ attributes }) => attributes.find(({ name }) => name === "token")?.value ?? "");
  };

  it("is the device there, alone, at the path where every device is", async () => {
    for (const tls of [true, false]) {
      const client = at("127.0.0.1", tls ? ports.https : ports.http, tls);
      expect(await profiles(client)).to.satisfy(
        (all: readonly string[]) => all.every((token) => token.startsWith("gate")) && all.length > 0,
      );
      const { element } = await client.call(
        "tds",
        "GetServices",
        "<tds:IncludeCapability>false</tds:IncludeCapability>",
      );
      for (const address of texts(element, "XAddr"))
        expect(address).to.match(
          new RegExp(`^http${tls ? "s" : ""}://127.0.0.1:${tls ? ports.https : ports.http}/onvif/[a-z0-9_]+$`),
        );
    }
    expect(
      texts((await at("127.0.0.1", ports.https, true).call("tds", "GetNetworkProtocols")).element, "Port"),
    ).to.include(String(ports.https));
  });

  it("serves no pages there", async () => {
    const { status } = await exchange(
      { host: "127.0.0.1", port: ports.https, path: "/", rejectUnauthorized: false },
      true,
      undefined,
    );
    expect(status).to.equal(404);
  });

  it("has its streams at its own address, which is in the certificate", async () => {
    const { https, rtsps } = site.bridge.parts.addresses().doors;
    const client = at(OWN, https, true);
    expect(await profiles(client)).to.satisfy((all: readonly string[]) =>
      all.every((token) => token.startsWith("yard")),
    );
    const wish = "<tr2:Protocol>RtspsUnicast</tr2:Protocol><tr2:ProfileToken>yard</tr2:ProfileToken>";
    const uri = texts((await client.call("tr2", "GetStreamUri", wish)).element, "Uri")[0] ?? "";
    expect(uri).to.match(new RegExp(`^rtsps://${OWN}:${rtsps}/live/yard`));
    const player = await RtspsClient.open(rtsps, OWN);
    expect((await player.play(`rtsps://${OWN}:${rtsps}/live/yard`, login)).status).to.equal(200);
    player.close();
    expect(texts((await client.call("tds", "GetNetworkInterfaces")).element, "Address")).to.deep.equal([OWN]);
  });
});
