import { parseValue } from '../../../core/reading.ts'
import { metricInName, slug } from './names.ts'
import { availability, ignored, type Profile, type ProfileRead } from './profile.ts'

/**
 * ESPHome (esphome.io/components/mqtt): `<node>/<component>/<object>/state` with a bare value, `<node>/status`. Units are
 * only in its discovery messages, which the profile of Home Assistant reads. Without these a value is taken where its
 * quantity has one usual unit; an energy, for example, may be Wh or kWh and is listed instead.
 */
export const createEsphome = (): Profile => ({
  name: 'esphome',
  filters: () => ['+/sensor/+/state', '+/binary_sensor/+/state', '+/switch/+/state', '+/status'],
  form(topic) {
    const levels = topic.split('/')
    if (levels.length >= 2 && levels.at(-1) === 'status') {
      const node = levels.slice(0, -1).join('/')
      return { kind: 'text', read: (text) => availability(node, text) }
    }
    if (levels.length < 4) return undefined
    const [component = '', object = '', leaf] = levels.slice(-3)
    const node = levels.slice(0, -3).join('/')
    if (!/^(sensor|binary_sensor|switch)$/.test(component)) return undefined
    if (leaf === 'command') return ignored
    if (leaf !== 'state') return undefined
    return { kind: 'text', read: (text) => readState({ node, component, object }, text) }
  },
})

interface Entity {
  readonly node: string
  readonly component: string
  readonly object: string
}

function readState({ node, component, object }: Entity, text: string): ProfileRead | undefined {
  // nan is how ESPHome writes that a sensor has no value
  if (/^nan$/i.test(text.trim())) return { rows: [] }
  if (parseValue(text) === undefined) return undefined
  const own = `${slug(node.split('/').at(-1) ?? '')}_`
  const name = slug(object)
  const short = name.startsWith(own) && name.length > own.length ? name.slice(own.length) : name
  const { metric, rest, unit } = metricInName(short)
  const device = rest === '' || metric === undefined ? node : `${node}/${rest}`
  if (component === 'switch')
    return { rows: [{ device: `${node}/${short}`, metric: 'switch', value: text, unit: 'state' }] }
  if (component === 'binary_sensor')
    return { rows: [{ device, metric: metric ?? short, value: text, unit: 'state' }] }
  if (metric === undefined) return { rows: [{ device, metric: short, value: text }] }
  return unit === undefined ? undefined : { rows: [{ device, metric, value: text, unit }] }
}
