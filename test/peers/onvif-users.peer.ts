import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { LEVELS } from "../support/onvif-calls.ts";
import { PATHS } from "../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../support/onvif-site.ts";
import { testIdentity, withRoles } from "../support/onvif-users.ts";
import { type Peer, pythonPeer } from "../support/peer.ts";

const SCRIPT = join(import.meta.dirname, "../support/onvif-users.py");

describe("zeep with the official WSDL files as one that makes users", () => {
  let python: Peer;
  let wsdl: string;
  let folder: string;
  let trusted: string;
  let site: OnvifTestSite;

  before(async function () {
    python = pythonPeer(this, "zeep");
    wsdl = officialFolder(this);
    folder = await mkdtemp(join(tmpdir(), "viaduct-users-"));
    trusted = join(folder, "trusted.pem");
    const identity = await testIdentity();
    await writeFile(trusted, identity.cert);
    site = await startOnvifSite({ clock: systemClock, identity, levels: LEVELS });
    await withRoles(site.accounts, LEVELS.values());
  });
  after(async () => {
    await site?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("makes one, comes in as that, sets its level, and removes it", async () => {
    const { name, secret } = await site.account([{ right: "manage-accounts", cameras: "any", interfaces: "any" }]);
    const address = `https://localhost:${site.tlsPort}/onvif/${PATHS.tds}`;
    const { code, stdout, stderr } = await python.run([SCRIPT, wsdl, address, trusted, name, secret]);
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout.toString())).to.deep.equal({
      steps: [
        { [name]: "Extended" },
        { [name]: "Extended", wall: "User" },
        { [name]: "Extended", wall: "Operator" },
        { [name]: "Extended" },
      ],
      model: "Viaduct",
      again: ["OperationProhibited", "UsernameClash"],
      weak: ["OperationProhibited", "PasswordTooWeak"],
      gone: ["InvalidArgVal", "UsernameMissing"],
    });
  });
});
