/** Servers that the tests start, where one of their commands is installed. */
export const servers = [
  { name: 'Mosquitto', commands: ['mosquitto'], debian: ['mosquitto'] },
  { name: 'Mosquitto clients', commands: ['mosquitto_pub'], debian: ['mosquitto-clients'] },
  { name: 'InfluxDB', commands: ['influxd'], debian: ['influxdb'] },
  { name: 'Redis', commands: ['redis-server'], debian: ['redis-server'] },
  { name: 'PostgreSQL', commands: ['postgres', 'pg_ctlcluster'], debian: ['postgresql'] },
  { name: 'Chromium', commands: ['chromium', 'chromium-browser', 'google-chrome'], debian: ['chromium'] },
]
