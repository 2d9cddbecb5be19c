import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { OnvifClient } from "../support/onvif-client.ts";
import { onvifEndpoint } from "../support/onvif-endpoint.ts";
import { viaduct } from "../support/viaduct.ts";

describe("viaduct doctor client", () => {
  let folder: string;
  let config: string;
  let site: TestBridge | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-doctor-"));
    config = join(folder, "viaduct.yaml");
    const data = join(folder, "data");
    site = await startTestBridge({ folder: data });
    const settings = {
      dataFolder: data,
      cameraSide: { interfaces: ["10.1.0.0/24"] },
      clientSide: { addresses: ["127.0.0.1"] },
    };
    await writeFile(config, JSON.stringify(settings));
  });
  after(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (...args: readonly string[]) => viaduct(["doctor", "client", ...args, "--config", config]);

  it("says that there was nothing", async () => {
    const { code, out } = await ask();
    expect({ code, out: out.split(".", 1)[0] }).to.deep.equal({
      code: 0,
      out: "No external system was refused anything",
    });
  });

  it("says of a running bridge, and of a stopped one, what was wrong and what to do, without any secret", async () => {
    if (site === undefined) throw new Error("no bridge");
    await new OnvifClient(onvifEndpoint(site), { name: "control-room", secret: "s3cret-guess" }).call(
      "tds",
      "GetScopes",
    );
    await eventually(async () => (await ask()).code === 1);
    const { out } = await ask("control-room");
    expect(out).to.match(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}127\.0\.0\.1 {2}control-room {2}onvif\n {4}there is no account "control-room"\n {4}> correct the name in the client, or make the account\n$/,
    );
    await site.close();
    site = undefined;
    const after = await ask("127.0.0.1", "--json");
    expect(after.code).to.equal(1);
    expect(JSON.parse(after.out)).to.have.length(1);
    expect(after.out + out).not.to.include("s3cret-guess");
    expect(await ask("somebody")).to.deep.include({ code: 0, err: "" });
  });
});
