import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { toLoopback } from "../support/consumer.ts";
import { PATHS } from "../support/onvif-client.ts";
import { type OnvifLogin, type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";
import { type Peer, peer, pythonPeer } from "../support/peer.ts";

/** Loads a WSDL over HTTP, calls the named operation without arguments, and prints what came. */
const ZEEP = `
import sys
from requests import Session
from requests.auth import HTTPDigestAuth
from zeep import Client
from zeep.helpers import serialize_object
from zeep.transports import Transport
url, user, password, operation = sys.argv[1:]
session = Session()
session.trust_env = False
session.auth = HTTPDigestAuth(user, password)
client = Client(url, transport=Transport(session=session))
print(sum(len(port.binding.all()) for service in client.wsdl.services.values() for port in service.ports.values()))
if operation:
    print(serialize_object(getattr(client.bind("Viaduct"), operation)()))
`;

/** Subscribes at the event service, and prints how what is pulled stands in the types that its WSDL gave. */
const PULL = `
import sys
from requests import Session
from requests.auth import HTTPDigestAuth
from zeep import Client
from zeep.transports import Transport
url, user, password = sys.argv[1:]
session = Session()
session.trust_env = False
session.auth = HTTPDigestAuth(user, password)
def bound(at, port):
    return Client(at + "?wsdl", transport=Transport(session=session)).bind("Viaduct", port)
made = bound(url, "EventPortType").CreatePullPointSubscription()
pulled = bound(made.SubscriptionReference.Address, "PullPointSubscription").PullMessages("PT1S", 1)
message = pulled.NotificationMessage[0].Message.Message
print(type(message.UtcTime).__name__, message.PropertyOperation, *[item.Name for item in message.Source.SimpleItem])
`;

describe("our own WSDL", () => {
  let folder: string;
  let site: OnvifTestSite;
  let login: OnvifLogin;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-wsdl-"));
    site = await startOnvifSite({
      clock: systemClock,
      consumers: toLoopback(),
      cameraDevices: { discoverable: true, own: [], shown: new Map() },
    });
    login = await site.account();
  });
  after(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const addressOf = (path: string): string => `http://127.0.0.1:${site.port}/onvif/${path}`;
  const paths = [...Object.values(PATHS), "subscription/any", "camera/gate/media_service"];

  it("is given to whoever asks, with the address that was asked, and where there is nothing there is none", async () => {
    for (const path of paths) {
      const { status, headers, body } = await site.send({ method: "GET", path: `/onvif/${path}?wsdl` });
      expect([status, headers["content-type"]], path).to.deep.equal([200, "text/xml; charset=utf-8"]);
      expect(body).to.include(`location="${addressOf(path)}"`);
    }
    for (const path of ["/onvif/nothing?wsdl", "/onvif/camera//device_service?wsdl"])
      expect((await site.send({ method: "GET", path })).status, path).to.equal(404);
    for (const path of ["/onvif/device_service", "/onvif/device_service?WSDL=1", "/onvif/device_service?a?wsdl"])
      expect((await site.send({ method: "GET", path })).status, path).to.equal(405);
  });

  describe("in zeep", () => {
    let python: Peer;
    before(function () {
      python = pythonPeer(this, "zeep");
    });
    const calls: Readonly<Record<string, readonly [operation: string, found: string]>> = {
      [PATHS.tds]: ["GetDeviceInformation", "Viaduct"],
      [PATHS.trt]: ["GetProfiles", "gate"],
      [PATHS.tr2]: ["GetVideoEncoderConfigurations", "gate"],
      [PATHS.trc]: ["GetRecordings", "gate"],
      [PATHS.tptz]: ["GetNodes", "gate"],
      [PATHS.tev]: ["GetServiceCapabilities", "MaxPullPoints"],
      "camera/gate/media_service": ["GetProfiles", "gate"],
    };
    for (const path of paths)
      it(`loads at ${path}${calls[path] === undefined ? "" : " and works"}`, async () => {
        const [operation = "", found = ""] = calls[path] ?? [];
        const { code, stdout, stderr } = await python.run([
          "-c",
          ZEEP,
          `${addressOf(path)}?wsdl`,
          login.name,
          login.secret,
          operation,
        ]);
        expect(code, stderr).to.equal(0);
        expect(Number(stdout.toString().split("\n", 1)[0])).to.be.greaterThan(2);
        expect(stdout.toString()).to.include(found);
      });
  });

  it("has types for what is pulled: zeep makes objects of messages", async function () {
    const python = pythonPeer(this, "zeep");
    const address = addressOf(PATHS.tev);
    const { code, stdout, stderr } = await python.run(["-c", PULL, address, login.name, login.secret]);
    expect(code, stderr).to.equal(0);
    expect(stdout.toString().trim()).to.match(/^datetime Initialized \w+/);
  });

  describe("in gSOAP", () => {
    let wsdl2h: Peer;
    before(function () {
      wsdl2h = peer(this, "wsdl2h");
    });
    for (const path of paths)
      it(`is read by wsdl2h without a complaint, at ${path}`, async () => {
        const file = join(folder, `${path.replaceAll("/", "_")}.wsdl`);
        await writeFile(file, (await site.send({ method: "GET", path: `/onvif/${path}?wsdl` })).body);
        const out = `${file}.h`;
        const { code, stderr } = await wsdl2h.run(["-c++", "-Nviaduct", "-o", out, file]);
        expect(code, stderr).to.equal(0);
        expect(stderr).not.to.match(/\berror\b|\bwarning\b/i);
        const header = await readFile(out, "utf8");
        expect(header).to.include("//gsoap");
        if (path.startsWith("subscription/"))
          expect(header)
            .to.match(/class wsnt__NotificationMessageHolderType/)
            .and.to.match(/class tt__ItemList/);
      });
  });
});
