import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { isFault } from "../../base/fault.ts";
import { clientCertificatesSchema } from "../../bridge/client-certificate-settings.ts";
import { checkCertificates } from "../../bridge/open-certificates.ts";
import { clientAuthority } from "../support/client-authority.ts";
import { peer } from "../support/peer.ts";

describe("authorities of certificates of clients, in the settings", () => {
  let folder: string;

  before(async function () {
    peer(this, "openssl");
    folder = await mkdtemp(join(tmpdir(), "viaduct-authorities-"));
  });
  after(() => folder && rm(folder, { recursive: true }));

  it("have one name and key to a list, which says nothing of what others have issued, and any number without", async () => {
    const [site, other] = [clientAuthority(folder, "site"), clientAuthority(folder, "other")];
    const check = async (authority: object): Promise<string> => {
      const authorities = [{ name: "site", ...authority }];
      const clientCertificates = clientCertificatesSchema.parse({ enabled: true, authorities });
      try {
        await checkCertificates({ clientSide: { clientCertificates } });
        return "";
      } catch (error) {
        return isFault(error, "invalid") ? (error.tell ?? "") : String(error);
      }
    };
    const both = join(folder, "both.pem");
    const first = await readFile(site.caFile, "utf8");
    await writeFile(both, first + (await readFile(other.caFile, "utf8")));
    expect(await check({ ca: both, crl: site.crlFile })).to.match(/several authorities or keys/);
    expect(await check({ ca: both, withoutRevocation: true })).to.equal("");
    site.renew(["-days", "90"]);
    await writeFile(both, first + (await readFile(site.caFile, "utf8")));
    expect(await check({ ca: both, crl: site.crlFile })).to.equal("");
    expect(await check({ ca: site.caFile, crl: other.crlFile })).to.match(/none of the authorities has signed it/);
  });
});
