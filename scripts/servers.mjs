/** Servers that the tests start, where one of their commands is installed. */
export const servers = [
  { name: 'Mosquitto', commands: ['mosquitto'], debian: ['mosquitto'] },
  { name: 'InfluxDB', commands: ['influxd'], debian: ['influxdb'] },
  { name: 'Chromium', commands: ['chromium', 'chromium-browser', 'google-chrome'], debian: ['chromium'] },
]
