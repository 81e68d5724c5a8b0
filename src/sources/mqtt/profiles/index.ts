import { createEsphome } from './esphome.ts'
import { createHomeAssistant } from './homeassistant.ts'
import type { Profile, ProfileOptions } from './profile.ts'
import { createShellyGen1 } from './shelly-gen1.ts'
import { createShellyGen2 } from './shelly-gen2.ts'
import { createTasmota } from './tasmota.ts'
import { createZigbee2mqtt } from './zigbee2mqtt.ts'

export type ProfileName = 'zigbee2mqtt' | 'tasmota' | 'shelly' | 'homeassistant' | 'esphome'

/**
 * In this order; the first that knows a topic reads it. Who announces itself to Home Assistant as well is read by its own
 * profile, which knows more of it; ESPHome's bare topics come last, since only the announcements have their units.
 */
export const profiles: Readonly<Record<ProfileName, (options: ProfileOptions) => readonly Profile[]>> = {
  zigbee2mqtt: (options) => [createZigbee2mqtt(options)],
  tasmota: () => [createTasmota()],
  shelly: () => [createShellyGen1(), createShellyGen2()],
  homeassistant: (options) => [createHomeAssistant(options)],
  esphome: () => [createEsphome()],
}

export const profileNames = Object.keys(profiles) as readonly ProfileName[]
