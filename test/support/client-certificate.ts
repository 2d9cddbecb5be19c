import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What openssl has made. */
export interface MadeCertificate {
  readonly pem: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Has openssl make a key and a certificate for it that signs itself, in `folder`. `more`: further arguments of `openssl req -x509`. */
export function makeCertificate(folder: string, name: string, more: readonly string[] = []): MadeCertificate {
  const [keyFile, certFile] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const key = more.includes("-newkey") ? [] : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const extensions = more.includes("-addext") ? [] : ["-addext", "basicConstraints=CA:FALSE"];
  const fixed = ["-x509", "-nodes", "-subj", `/CN=${name}`, "-keyout", keyFile, "-out", certFile];
  execFileSync("openssl", ["req", ...fixed, ...key, ...extensions, ...more], { stdio: "ignore" });
  return { pem: readFileSync(certFile, "utf8"), certFile, keyFile };
}
