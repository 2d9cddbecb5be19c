import { asFault } from "../../base/fault.ts";
import type { Lifecycle } from "../../base/lifecycle.ts";
import { NtlmHelper } from "../../directory/ntlm-helper.ts";
import type { NtlmSettings } from "../ntlm-settings.ts";
import { examineNtlm, findNtlmHelper } from "./examine-ntlm.ts";
import { NtlmLogIns, type NtlmParts } from "./ntlm.ts";
import { NtlmHandshakes } from "./ntlm-handshakes.ts";

/**
 * Log-ins by NTLM. A program that is not there keeps the bridge from starting (Fault `invalid`); winbind may start after us, so what is
 * wrong with that goes to the log.
 */
export async function startNtlm(
  settings: NtlmSettings,
  life: Lifecycle,
  parts: Omit<NtlmParts, "handshakes">,
): Promise<NtlmLogIns> {
  const { clock, log } = parts;
  await findNtlmHelper(settings);
  const handshakes = new NtlmHandshakes(() => new NtlmHelper(settings.helper, clock), clock);
  const over = new AbortController();
  await life.start("log-ins by NTLM", () => ({
    close() {
      over.abort();
      handshakes.close();
    },
  }));
  void examineNtlm(settings, clock, over.signal).catch((error: unknown) => {
    if (!over.signal.aborted) log.warn({ err: asFault(error) }, "log-in by NTLM does not work yet");
  });
  return new NtlmLogIns(settings, { ...parts, handshakes });
}
