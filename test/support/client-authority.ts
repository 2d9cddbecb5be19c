import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MadeCertificate } from "./client-certificate.ts";

const CONFIGURATION = `[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = optional
organizationName = optional
[full]
[partial]
issuingDistributionPoint = critical,@point
[point]
onlyuser = TRUE
`;

/** An authority of openssl that issues certificates of clients, and says which of them are revoked. */
export interface ClientAuthority {
  readonly caFile: string;
  readonly crlFile: string;
  /** `more`: further arguments of `openssl req`, as `-addext`, and the subject. `hash`: by which it is signed, SHA-256 if absent. */
  issue(name: string, more?: readonly string[], hash?: string): MadeCertificate;
  revoke(name: string): void;
  /** One of its certificates, with that serial number: `-0x05`. */
  issueNumbered(serial: string): string;
  /** Whether it has issued them or not; as its database has them: `-05`. */
  revokeNumbers(serials: readonly string[]): void;
  /** Another certificate of its own with the same name and key; `more`: further arguments of `openssl req`. */
  renew(more: readonly string[]): void;
  /** Writes the list anew; `more`: further arguments of `openssl ca -gencrl`. */
  publish(more?: readonly string[]): void;
}

/** Makes one in `folder`, with an empty list. `key`: arguments by which openssl makes its key. */
export function clientAuthority(
  folder: string,
  name: string,
  key: readonly string[] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
): ClientAuthority {
  const home = join(folder, name);
  mkdirSync(home);
  const openssl = (...args: readonly string[]): void =>
    void execFileSync("openssl", args, { cwd: home, stdio: ["ignore", "ignore", "pipe"] });
  writeFileSync(join(home, "openssl.cnf"), CONFIGURATION);
  writeFileSync(join(home, "index.txt"), "");
  writeFileSync(join(home, "serial"), "00B1C2\n");
  const usage = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
  const extensions = usage.flatMap((one) => ["-addext", one]);
  const own = ["req", "-x509", "-nodes", "-subj", `/CN=${name}`, ...extensions, "-out", "ca.pem"];
  openssl(...own, ...key, "-keyout", "ca.key");
  const signing = ["-config", "openssl.cnf", "-cert", "ca.pem", "-keyfile", "ca.key"];
  const authority: ClientAuthority = {
    caFile: join(home, "ca.pem"),
    crlFile: join(home, "crl.pem"),
    issue(holder, more = ["-subj", `/CN=${holder}`], hash = "sha256") {
      const subject = more.includes("-subj") ? [] : ["-subj", `/CN=${holder}`];
      const ec = more.includes("-newkey") ? [] : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
      const files = ["-keyout", `${holder}.key`, "-out", `${holder}.csr`];
      openssl("req", "-nodes", ...ec, ...subject, ...more, ...files);
      const issued = ["-batch", "-notext", "-days", "30", "-md", hash, "-in", `${holder}.csr`, "-out", `${holder}.pem`];
      openssl("ca", ...signing, ...issued);
      const [certFile, keyFile] = [join(home, `${holder}.pem`), join(home, `${holder}.key`)];
      return { pem: readFileSync(certFile, "utf8"), certFile, keyFile };
    },
    issueNumbered(serial) {
      authority.issue("numbered");
      const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", serial];
      openssl("x509", "-req", "-in", "numbered.csr", ...by, "-out", "numbered.pem");
      return readFileSync(join(home, "numbered.pem"), "utf8");
    },
    revokeNumbers(serials) {
      const lines = serials.map((serial) => `R\t350101000000Z\t200101000000Z\t${serial}\tunknown\t/CN=revoked\n`);
      appendFileSync(join(home, "index.txt"), lines.join(""));
    },
    renew: (more) => openssl(...own, "-key", "ca.key", ...more),
    revoke: (holder) => openssl("ca", ...signing, "-revoke", `${holder}.pem`),
    publish: (more = ["-crldays", "7"]) => openssl("ca", "-gencrl", ...signing, ...more, "-out", "crl.pem"),
  };
  authority.publish();
  return authority;
}
