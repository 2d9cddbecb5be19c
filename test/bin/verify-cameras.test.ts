import { expect } from "chai";
import { makeSigners, recordFor } from "../support/exported.ts";
import { scratchFolder } from "../support/recorder-samples.ts";
import { signedFilm, signedPath } from "../support/signed-film.ts";
import { signedFootage } from "../support/signed-footage.ts";
import { viaduct } from "../support/viaduct.ts";

describe("viaduct verify, of recordings that Axis cameras signed", () => {
  let folder = "";
  let remove: () => Promise<void>;
  const films = { attested: "axis.264", older: "axis-older.264", bare: "axis-bare.264", silent: "axis-older-gop.264" };

  before(async () => {
    ({ folder, remove } = await scratchFolder());
    const footage = Object.entries(films).map(([camera, name]) => [camera, signedFootage(signedFilm(name))] as const);
    const { recorder } = await makeSigners();
    await recordFor(folder, Object.fromEntries(footage), { signer: recorder });
  });
  after(() => remove());

  const verify = (camera: string, ...args: readonly string[]) => viaduct(["verify", `${folder}/${camera}`, ...args]);

  for (const camera of ["attested", "older"])
    it(`names the chip that vouches for the key, and asks who has made it (${films[camera as keyof typeof films]})`, async () => {
      const { out, code } = await verify(camera, "--camera-ca", signedPath("axis-chips.pem"));
      expect(out).to.match(/ signed by the camera: ok$/m);
      expect(out).to.match(
        /^6 groups of pictures of \S+ signed by [0-9A-F:]{95}, Axis Edge Vault Attestation 0400\d+f, issued by Chips of this year, which says that it is Axis Communications AB ACCC8E000001 \(Axis Signed Video\)$/m,
      );
      expect(code, out).to.equal(0);
      const other = await verify(camera, "--camera-ca", signedPath("maker.pem"));
      expect(other.out).to.match(
        / signed by the camera: by somebody who is not trusted: .* does not lead to the authority/m,
      );
      expect(other.code).to.equal(3);
    });

  it("says of a key for which nothing vouches that it signed all of it, and no more, also where somebody is named", async () => {
    const { out, code } = await verify("bare");
    expect(out).to.match(/ by somebody who is not trusted: one key signed it all, and nothing says whose that is$/m);
    expect(out).to.match(
      /^6 groups .* signed by [0-9A-F:]{95}, a key for which nobody vouches, which says that it is Test ACCC8E000001/m,
    );
    expect(code, out).to.equal(0);
    const named = await verify("bare", "--camera-ca", signedPath("axis-chips.pem"), "--json");
    expect(named.code).to.equal(3);
    const [camera] = (JSON.parse(named.out) as { cameras: readonly { signers: readonly object[] }[] }).cameras;
    expect(camera?.signers[0]).to.deep.include({ name: null, issuer: null, groups: 6 });
  });

  it("cannot tell of the form before release 2.0 without lists of hashes, and says so", async () => {
    const { out, code } = await verify("silent");
    expect(out).to.match(/ signed by the camera: cannot be told: it is signed in the older form of Axis Signed Video/m);
    expect(code, out).to.equal(0);
  });
});
