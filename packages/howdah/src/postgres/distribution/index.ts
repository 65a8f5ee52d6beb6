export { describeSettings, type SettingContext, type SettingInfo } from "./describe-settings.js";
export { createEngines, type EngineInfo, type EngineKind, type Engines, type EnginesOptions } from "./engines.js";
export { hasExtension } from "./extensions.js";
