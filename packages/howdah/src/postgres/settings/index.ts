export { changeNeeds, checkSettings, type SettingDescriptions } from "./check-settings.js";
export { parseConf, renderConf } from "./conf-text.js";
export { diffSettings, formatChange } from "./diff-settings.js";
export { ADMIN_ROLE, renderHba, renderIdent } from "./hba.js";
export {
  isOwned,
  LOG_FILE_BYTES,
  LOG_FILE_PREFIX,
  ownedSettings,
  SOCKET_PORT,
  toArguments,
} from "./owned-settings.js";
export { preloadSettings } from "./preload.js";
export { sizedSettings } from "./sized-settings.js";
