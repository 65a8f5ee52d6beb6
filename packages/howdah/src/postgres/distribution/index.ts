export { describeSettings, type SettingInfo } from "./describe-settings.js";
export { createEngines, type EngineInfo, type Engines } from "./engines.js";
export { hasExtension, hasPreloadLibrary } from "./extensions.js";
