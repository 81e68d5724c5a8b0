import { config, held, live, open, type Row, type System, testsOf } from './row.ts'

const mapping = testsOf('src/sources/mqtt/mapping.test.ts')
const older = 'the names of the older systems'

const channels: readonly Row[] = [
  held(
    'topic HyperVolt/sensors/#',
    'readings over MQTT',
    mapping('takes every field from the payload'),
    'sensor_type sensor_id value unit location timestamp',
  ),
  held(
    'topic: required fields',
    'a missing field is named',
    mapping('names a missing %s as its sender does'),
  ),
  held(
    'topic: location',
    'the location comes from the topic where the payload has none',
    mapping('takes the location from the topic where the payload has none'),
  ),
  open('topic: clock time', 'a bare clock time means today', 'Z'),
  held('topic: prefix', 'MQTT_TOPIC_PREFIX changes the prefix', config(older)),
  open('topic HyperVolt/commands/{device_id}', 'a command to a device', 'command value timestamp'),
  open(
    'topic HyperVolt/commands/control',
    'switches the source',
    'command switch_source source details timestamp',
  ),
  open(
    'topic HyperVolt/commands/load_<id>',
    'switches the source of a load',
    'command switch_source load_id load_name to_source timestamp id',
  ),
  open('topic HyperVolt/commands/response', 'answers of devices'),
  held(
    'socket /ws/sensors/',
    'a message per reading',
    live('sends a frame a reading in the form of the seed'),
    'type sensor_update data sensor_type sensor_id value unit location timestamp',
  ),
  open('message ai_decision', 'a decision on the socket'),
  open('message source_switch', 'a switch of source on the socket'),
  held(
    'message echo',
    'answers any message',
    live('answers what it is sent'),
    'type message Message received',
  ),
  held(
    'message error',
    'answers invalid JSON',
    live('answers what it is sent'),
    'type error message Invalid JSON',
  ),
]

const rest: readonly Row[] = [
  open(
    'lists',
    'pages of 100, newest first, with filters; actions answer arrays',
    'count next previous results ?page id created_at',
  ),
  open('/api/sensor-readings/', 'readings', 'sensor_type sensor_id value unit location timestamp 20 50 100'),
  open('/api/sensor-readings/latest/', 'the newest of each sensor', 'latest/'),
  open('/api/sensor-readings/recent/', 'readings of the last hours', 'recent/ hours 1'),
  open(
    '/api/sensor-readings/buffer/',
    'the hot window of one sensor and its statistics',
    'buffer/ sensor_type sensor_id readings value timestamp oldest first stats count is_full latest_value latest_timestamp min_value max_value avg_value false',
  ),
  open('buffer: 400', 'names the required parameters', 'error sensor_type and sensor_id are required'),
  open(
    '/api/grid-data/',
    'carbon intensity, weather and prices',
    'data_type value unit zone metadata timestamp',
  ),
  open('/api/grid-data/latest/', 'the newest of each type', 'latest/'),
  open(
    '/api/grid-data/carbon_intensity/',
    'the last hours of carbon intensity',
    'carbon_intensity/ hours 24',
  ),
  open('/api/grid-data/weather/', 'the last hours of weather', 'weather/ hours 24'),
  open(
    'GET /api/preferences/',
    'all preferences',
    'preference_key preference_value any JSON description unique',
  ),
  open('POST /api/preferences/', 'adds a preference'),
  open('PUT /api/preferences/{key}/', 'changes a preference', 'key'),
  open(
    '/api/preferences/get_preference/',
    'one preference; 400 without a key, 404 where it does not exist',
    'get_preference/ key error key parameter is required Preference not found',
  ),
  open('preferences: known', 'brightness_threshold, comfort_level, cost_optimization, cost_priority'),
  open(
    'GET /api/ai-decisions/',
    'decisions',
    'decision_type decision confidence reasoning applied timestamp 0-1',
  ),
  open('POST /api/ai-decisions/', 'adds a decision'),
  open('/api/ai-decisions/recent/', 'decisions of the last hours', 'recent/ hours 24'),
  open('/api/ai-decisions/latest/', 'the newest decision', 'latest/'),
  open(
    'GET /api/energy-sources/',
    'sources of energy',
    'source_type is_available capacity W null current_output priority',
  ),
  open('PUT /api/energy-sources/{id}/', 'changes a source', '{id}/ id'),
  open('/api/energy-sources/available/', 'sources that can be used', 'available/'),
  open(
    '/api/loads/',
    'loads',
    'name category priority 100 75 50 25 rated_power current_power is_active current_source can_defer min_runtime location notes',
  ),
  open('/api/loads/active/', 'loads that run', 'active/'),
  open('/api/loads/high_priority/', 'loads of high priority', 'high_priority/'),
  open('/api/loads/{id}/recommend_source/', 'the best source of a load', '{id}/recommend_source/ id'),
  open('/api/switch-events/', 'switches of source'),
  open('/api/switch-events/recent/', 'the last switches', 'recent/'),
  open('/api/ai/status', 'state of the planner', 'status'),
  open('/api/ai/forecast', 'forecasts that it uses', 'forecast'),
  open('/api/ai/peak_hours', 'hours of high demand', 'peak_hours'),
  open('/api/ai/recommend_source', 'the best source now', 'recommend_source'),
  open('/api/ai/decide', 'decides now', 'decide'),
  open('/api/ai/conditions', 'conditions that it sees', 'conditions'),
]

const rules: readonly Row[] = [
  held(
    'hot path',
    '60 readings per sensor',
    testsOf('src/core/window.test.ts')('holds the same as a sorted list, whatever the order of arrival'),
    '60',
  ),
  open('hot path: expiry', 'readings expire after 3600 s'),
  open('tasks', 'carbon and weather every 15 minutes, clean-up daily after 7 days, editable on /admin/'),
  open('/admin/', 'lists the tasks'),
  open('rule: candidates', 'sources that are available with enough capacity'),
  open('rule: base scores', 'solar 100, battery 75, grid 50, generator 25'),
  open('rule: solar', 'bonus for few clouds and much light'),
  open('rule: grid', 'malus and bonus by carbon intensity'),
  open('rule: battery', 'bonus for loads of high priority'),
  open('rule: switch', 'only for a gain above 20'),
  open('rule: arbitrage', 'sells at high and buys at low prices, by state of charge'),
  open('rule: battery floor', '10 to 40 %'),
  open('rule: defer', 'washer, EV, AC and dishwasher wait when carbon or price is high'),
  open('twin', 'windows glow with darkness, flows in the colour of the source', 'brightness_threshold'),
  open('estimates', 'values without an API key are labelled', 'estimated true'),
]

const variables: readonly Row[] = [
  held('MQTT_BROKER_HOST', 'host of the broker', config(older)),
  held('MQTT_BROKER_PORT', 'port of the broker', config(older)),
  held('MQTT_USERNAME', 'user at the broker', config(older)),
  held('MQTT_PASSWORD', 'password at the broker', config(older)),
  held('MQTT_TOPIC_PREFIX', 'prefix of the topics', config(older)),
  open('REDIS_HOST', 'host of Redis'),
  open('REDIS_PORT', 'port of Redis'),
  open('DB_*', 'PostgreSQL by its parts'),
  open('DATABASE_URL', 'PostgreSQL by its address'),
  open('ELECTRICITY_MAPS_API_KEY', 'key of Electricity Maps'),
  open('OPENWEATHER_API_KEY', 'key of OpenWeather'),
  open('LOCATION_LAT', 'latitude'),
  open('LOCATION_LON', 'longitude'),
  open('LOCATION_ZONE', 'zone of carbon intensity'),
]

/** System D: planning. */
export const hypervolt: System = { name: 'D', rows: [...channels, ...rest, ...rules, ...variables] }
