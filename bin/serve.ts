import { createLog } from "../base/log.ts";
import { passphraseFrom } from "./passphrase.ts";
import { runBridge } from "./run.ts";
import { readSettings } from "./settings-file.ts";
import { endAnyway, stopSignal } from "./stop.ts";

export interface ServeOptions {
  readonly config: string;
  readonly passphraseFd?: string;
}

/** The real mode: what the configuration says, no cameras but the adopted ones, no accounts but the registered ones. */
export async function serve({ config, passphraseFd }: ServeOptions, version: string): Promise<void> {
  const settings = await readSettings(config);
  const stopped = stopSignal();
  const bridge = await runBridge({
    settings,
    version,
    log: createLog(settings.logLevel),
    passphrase: passphraseFrom(passphraseFd),
  });
  const web = bridge.parts.addresses().web(bridge.address);
  process.stdout.write(
    `Viaduct ${version} is running: ${web}\nIts certificate's SHA-256 fingerprint: ${bridge.fingerprint}\n`,
  );
  const token = bridge.parts.accounts.setUpToken();
  if (token !== undefined)
    process.stdout.write(
      `\nThere is no administrator yet. Open ${web} and use this one-time set-up token:\n\n    ${token.reveal()}\n\n`,
    );
  await stopped;
  await bridge.close();
  endAnyway();
}
