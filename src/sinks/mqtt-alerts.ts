import type { Alert } from '../core/event.ts'
import type { MqttLink, Sink } from '../core/ports.ts'

/** Topic of a site's alerts. Characters that mean something in a topic, or that divide it, are percent-encoded. */
export const alertTopic = (site: string): string =>
  `homeostat/${site.replace(/[/+#%$]/g, encodeURIComponent)}/alerts`

/** Alerts as JSON at QoS 1 on `homeostat/{site}/alerts`, never retained: one that was read late is no alarm. */
export function createMqttAlerts(link: MqttLink): Sink {
  return {
    send: ({ alert }) =>
      link.publish(alertTopic(alert.target.site), payloadOf(alert), { qos: 1, retain: false }),
    close: async () => undefined,
  }
}

const payloadOf = (alert: Alert): string => JSON.stringify(alert)
