import { Option } from "commander";

/** Of commands that open the data folder. */
export function passphraseFd(): Option {
  return new Option("--passphrase-fd <number>", "read the passphrase of the master key from this file descriptor");
}
